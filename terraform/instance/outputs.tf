output "region" {
  description = "AWS region of the instance"
  value       = var.region
}

output "account" {
  description = "AWS account of the instance"
  value       = var.account
}

output "token_exchange_role_arn" {
  description = "ARN of the IAM role whose rights the cores take on"
  value       = aws_iam_role.token_exchange.arn
}

output "token_exchange_alias" {
  description = "Name of the IoT role alias, as the nucleus wants it (iotRoleAlias)"
  value       = aws_iot_role_alias.token_exchange.alias
}

output "token_exchange_alias_arn" {
  description = "ARN of the IoT role alias"
  value       = aws_iot_role_alias.token_exchange.arn
}

output "core_policy" {
  description = "Name of the IoT policy that every core of the instance has"
  value       = aws_iot_policy.core.name
}

output "data_endpoint" {
  description = "Host name of the account's IoT data endpoint (iotDataEndpoint)"
  value       = data.aws_iot_endpoint.data.endpoint_address
}

output "credentials_endpoint" {
  description = "Host name of the account's IoT credentials endpoint (iotCredEndpoint)"
  value       = data.aws_iot_endpoint.credentials.endpoint_address
}

output "revision" {
  description = "The revision that this state was applied with"
  value       = terraform_data.applied.output
}
