mock_provider "aws" {
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/lab-token-exchange" }
  }

  mock_resource "aws_iot_role_alias" {
    defaults = { arn = "arn:aws:iot:eu-west-1:123456789012:rolealias/lab-token-exchange" }
  }

  mock_data "aws_iot_endpoint" {
    defaults = { endpoint_address = "a1b2c3.example.org" }
  }
}

variables {
  region                = "eu-west-1"
  account               = "123456789012"
  instance              = "lab"
  token_exchange_role   = "lab-token-exchange"
  token_exchange_policy = "{\"Version\":\"2012-10-17\",\"Statement\":[]}"
  token_exchange_alias  = "lab-token-exchange"
  core_policy           = "lab-core"
  core_policy_document  = "{\"Version\":\"2012-10-17\",\"Statement\":[]}"
  revision              = "r1"
}

run "makes_what_the_cores_share" {
  assert {
    condition = jsondecode(aws_iam_role.token_exchange.assume_role_policy).Statement == [{
      Action    = "sts:AssumeRole"
      Effect    = "Allow"
      Principal = { Service = "credentials.iot.amazonaws.com" }
    }]
    error_message = "Only the IoT credentials provider may take on the role."
  }

  assert {
    condition     = aws_iot_role_alias.token_exchange.role_arn == aws_iam_role.token_exchange.arn
    error_message = "The alias must stand for the token exchange role."
  }

  assert {
    condition     = aws_iam_role_policy.token_exchange.policy == var.token_exchange_policy
    error_message = "The role must have the policy that was given."
  }

  assert {
    condition     = data.aws_iot_endpoint.data.endpoint_type == "iot:Data-ATS" && data.aws_iot_endpoint.credentials.endpoint_type == "iot:CredentialProvider"
    error_message = "The nucleus needs the ATS data endpoint and the credentials endpoint."
  }

  assert {
    condition     = output.core_policy == "lab-core" && output.revision == "r1" && output.account == "123456789012"
    error_message = "The outputs must say what was applied."
  }
}

run "refuses_wrong_values" {
  command = plan

  variables {
    account               = "sandbox"
    token_exchange_policy = "not JSON"
    core_policy_document  = format("{\"Statement\":\"%02048d\"}", 0)
  }

  expect_failures = [var.account, var.token_exchange_policy, var.core_policy_document]
}
