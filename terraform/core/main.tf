# One Greengrass core device: its thing, its certificate, its own policy, and its place in a group that others share.

resource "aws_iot_thing" "core" {
  name       = var.name
  attributes = { dospesos_instance = var.instance }
}

resource "aws_iot_thing_group_membership" "core" {
  thing_name       = aws_iot_thing.core.name
  thing_group_name = var.group
}

# Given a CSR, AWS signs the device's own public key: the private key never comes here, nor into the state.
# A device that runs has this very certificate: another CSR, e.g. of a clone without the keys, never replaces it.
# Each attachment refers to what it joins, so destroy detaches first; the provider deactivates before it deletes.
resource "aws_iot_certificate" "core" {
  csr    = var.csr
  active = true

  lifecycle {
    create_before_destroy = true
    ignore_changes        = [csr]
  }
}

resource "aws_iot_policy" "device" {
  name   = var.device_policy
  policy = var.device_policy_document
}

resource "aws_iot_policy_attachment" "device" {
  policy = aws_iot_policy.device.name
  target = aws_iot_certificate.core.arn

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_iot_policy_attachment" "core" {
  policy = var.core_policy
  target = aws_iot_certificate.core.arn

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_iot_thing_principal_attachment" "core" {
  thing     = aws_iot_thing.core.name
  principal = aws_iot_certificate.core.arn

  lifecycle {
    create_before_destroy = true
  }
}

# Comes last, so that the revision comes back only when everything above was applied: an apply that failed half way keeps
# the old one, or has none.
resource "terraform_data" "applied" {
  input = var.revision

  depends_on = [
    aws_iot_thing_group_membership.core,
    aws_iot_policy_attachment.device,
    aws_iot_policy_attachment.core,
    aws_iot_thing_principal_attachment.core,
    aws_iot_policy_attachment.next_device,
    aws_iot_policy_attachment.next_core,
    aws_iot_thing_principal_attachment.next_core,
  ]
}
