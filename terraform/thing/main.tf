# One client thing: the thing, its certificate and its own policy.

resource "aws_iot_thing" "thing" {
  name       = var.name
  attributes = { dospesos_instance = var.instance }
}

# Given a CSR, AWS signs the device's own public key: the private key never comes here, nor into the state.
# A device that runs has this very certificate: another CSR, e.g. of a clone without the keys, never replaces it.
# Each attachment refers to what it joins, so destroy detaches first; the provider deactivates before it deletes.
resource "aws_iot_certificate" "thing" {
  csr    = var.csr
  active = true

  lifecycle {
    create_before_destroy = true
    ignore_changes        = [csr]
  }
}

resource "aws_iot_policy" "thing" {
  name   = var.policy
  policy = var.policy_document
}

resource "aws_iot_policy_attachment" "thing" {
  policy = aws_iot_policy.thing.name
  target = aws_iot_certificate.thing.arn

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_iot_thing_principal_attachment" "thing" {
  thing     = aws_iot_thing.thing.name
  principal = aws_iot_certificate.thing.arn

  lifecycle {
    create_before_destroy = true
  }
}

# Comes last, so that the revision comes back only when everything above was applied: an apply that failed half way keeps
# the old one, or has none.
resource "terraform_data" "applied" {
  input = var.revision

  depends_on = [
    aws_iot_policy_attachment.thing,
    aws_iot_thing_principal_attachment.thing,
    aws_iot_policy_attachment.next_thing,
    aws_iot_thing_principal_attachment.next_thing,
  ]
}
