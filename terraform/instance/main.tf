# What all cores of one instance share: the role that they may take on, and the policy that every core has.

resource "aws_iam_role" "token_exchange" {
  name        = var.token_exchange_role
  description = "What the Greengrass cores of ${var.instance} may do with AWS services"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "credentials.iot.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "token_exchange" {
  name   = "token-exchange"
  role   = aws_iam_role.token_exchange.name
  policy = var.token_exchange_policy
}

resource "aws_iot_role_alias" "token_exchange" {
  alias               = var.token_exchange_alias
  role_arn            = aws_iam_role.token_exchange.arn
  credential_duration = 3600
}

# Destroyed before all else: AWS refuses while a core has it, and then no core has lost its role.
resource "aws_iot_policy" "core" {
  name       = var.core_policy
  policy     = var.core_policy_document
  depends_on = [aws_iam_role_policy.token_exchange, aws_iot_role_alias.token_exchange]
}

data "aws_iot_endpoint" "data" {
  endpoint_type = "iot:Data-ATS"
}

data "aws_iot_endpoint" "credentials" {
  endpoint_type = "iot:CredentialProvider"
}

# Comes last, so that the revision comes back only when everything above was applied: an apply that failed half way keeps
# the old one, or has none.
resource "terraform_data" "applied" {
  input = var.revision

  depends_on = [
    aws_iam_role_policy.token_exchange,
    aws_iot_role_alias.token_exchange,
    aws_iot_policy.core,
  ]
}
