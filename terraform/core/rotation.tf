# While an identity is rotated (dospesos rotate), the device has two certificates: the one that it runs with, and the next.
# In the end the old one is deleted, and in the state each next_… takes the place of what it follows.

locals {
  certificate = length(aws_iot_certificate.next_core) == 0 ? aws_iot_certificate.core : aws_iot_certificate.next_core[0]
}

resource "aws_iot_certificate" "next_core" {
  count  = var.next_csr == "" ? 0 : 1
  csr    = var.next_csr
  active = true

  lifecycle {
    create_before_destroy = true
    ignore_changes        = [csr]
  }
}

resource "aws_iot_policy_attachment" "next_device" {
  count  = length(aws_iot_certificate.next_core)
  policy = aws_iot_policy.device.name
  target = aws_iot_certificate.next_core[0].arn

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_iot_policy_attachment" "next_core" {
  count  = length(aws_iot_certificate.next_core)
  policy = var.core_policy
  target = aws_iot_certificate.next_core[0].arn

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_iot_thing_principal_attachment" "next_core" {
  count     = length(aws_iot_certificate.next_core)
  thing     = aws_iot_thing.core.name
  principal = aws_iot_certificate.next_core[0].arn

  lifecycle {
    create_before_destroy = true
  }
}
