output "thing_name" {
  description = "Name of the core's thing"
  value       = aws_iot_thing.core.name
}

output "thing_arn" {
  description = "ARN of the core's thing"
  value       = aws_iot_thing.core.arn
}

output "certificate_arn" {
  description = "ARN of the certificate"
  value       = local.certificate.arn
}

output "certificate_id" {
  description = "Id of the certificate"
  value       = local.certificate.id
}

# The provider marks every certificate as sensitive; it is what the device shows to anyone that it connects to.
output "certificate_pem" {
  description = "PEM text of the certificate, for the device"
  value       = nonsensitive(local.certificate.certificate_pem)
}

output "revision" {
  description = "The revision that this state was applied with"
  value       = terraform_data.applied.output
}
