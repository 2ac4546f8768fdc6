# While an identity is rotated (dospesos rotate), the device has two certificates: the one that it runs with, and the next.
# In the end the old one is deleted, and in the state each next_… takes the place of what it follows.

locals {
  certificate = length(aws_iot_certificate.next_thing) == 0 ? aws_iot_certificate.thing : aws_iot_certificate.next_thing[0]
}

resource "aws_iot_certificate" "next_thing" {
  count  = var.next_csr == "" ? 0 : 1
  csr    = var.next_csr
  active = true

  lifecycle {
    create_before_destroy = true
    ignore_changes        = [csr]
  }
}

resource "aws_iot_policy_attachment" "next_thing" {
  count  = length(aws_iot_certificate.next_thing)
  policy = aws_iot_policy.thing.name
  target = aws_iot_certificate.next_thing[0].arn

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_iot_thing_principal_attachment" "next_thing" {
  count     = length(aws_iot_certificate.next_thing)
  thing     = aws_iot_thing.thing.name
  principal = aws_iot_certificate.next_thing[0].arn

  lifecycle {
    create_before_destroy = true
  }
}
