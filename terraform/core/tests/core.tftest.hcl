mock_provider "aws" {
  mock_resource "aws_iot_certificate" {
    defaults = {
      arn             = "arn:aws:iot:eu-west-1:123456789012:cert/0123456789abcdef"
      certificate_pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    }
  }
}

variables {
  region                 = "eu-west-1"
  account                = "123456789012"
  instance               = "lab"
  name                   = "core-1"
  group                  = "my-group"
  csr                    = "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n"
  next_csr               = ""
  core_policy            = "lab-core"
  device_policy          = "lab-core-core-1"
  device_policy_document = "{\"Version\":\"2012-10-17\",\"Statement\":[]}"
  revision               = "r1"
}

run "makes_a_core_from_its_csr" {
  assert {
    condition     = aws_iot_certificate.core.csr == var.csr && aws_iot_certificate.core.active
    error_message = "The certificate must be made active, from the device's own CSR."
  }

  assert {
    condition     = toset([aws_iot_policy_attachment.core.policy, aws_iot_policy_attachment.device.policy]) == toset(["lab-core", "lab-core-core-1"])
    error_message = "The certificate must have the shared policy and the core's own."
  }

  assert {
    condition     = aws_iot_policy_attachment.core.target == output.certificate_arn && aws_iot_policy_attachment.device.target == output.certificate_arn
    error_message = "Both policies must be attached to the certificate."
  }

  assert {
    condition     = aws_iot_thing_principal_attachment.core.thing == "core-1" && aws_iot_thing_principal_attachment.core.principal == output.certificate_arn
    error_message = "The certificate must be attached to the thing."
  }

  assert {
    condition     = aws_iot_thing_group_membership.core.thing_name == "core-1" && aws_iot_thing_group_membership.core.thing_group_name == "my-group"
    error_message = "The thing must join the group."
  }

  assert {
    condition     = aws_iot_thing.core.attributes == tomap({ dospesos_instance = "lab" })
    error_message = "The thing must say which instance it belongs to."
  }

  assert {
    condition     = !issensitive(output.certificate_pem) && output.thing_name == "core-1" && output.revision == "r1"
    error_message = "The outputs must say what was applied, readable for all."
  }
}

run "rotates_by_a_second_certificate" {
  command = apply

  variables {
    next_csr = var.csr
  }

  assert {
    condition     = length(aws_iot_certificate.next_core) == 1 && output.certificate_arn == aws_iot_certificate.next_core[0].arn
    error_message = "the device gets the next certificate, and keeps the other one"
  }

  assert {
    condition     = aws_iot_thing_principal_attachment.next_core[0].principal == aws_iot_certificate.next_core[0].arn
    error_message = "the next certificate is the thing's, too"
  }
}

run "refuses_wrong_values" {
  command = plan

  variables {
    account                = "sandbox"
    csr                    = "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n"
    device_policy_document = format("{\"Statement\":\"%02048d\"}", 0)
  }

  expect_failures = [var.account, var.csr, var.device_policy_document]
}
