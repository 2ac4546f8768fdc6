variable "region" {
  description = "AWS region of the instance, e.g. eu-west-1"
  type        = string
}

variable "account" {
  description = "The only AWS account that may be changed: credentials for any other are refused"
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account))
    error_message = "The account must be an AWS account id of 12 digits."
  }
}

variable "instance" {
  description = "Name of the instance: every resource that can have tags carries it as dospesos:instance, the thing as an attribute"
  type        = string
}

variable "name" {
  description = "Name of the client thing"
  type        = string
}

variable "csr" {
  description = "PEM text of the device's certificate signing request; its private key stays on the device"
  type        = string

  validation {
    condition     = can(regex("^-----BEGIN CERTIFICATE REQUEST-----[A-Za-z0-9+/=\\s]+-----END CERTIFICATE REQUEST-----\\s*$", var.csr))
    error_message = "csr must be one PEM certificate signing request and nothing else: never a private key."
  }

  validation {
    condition     = length(var.csr) <= 4096
    error_message = "csr has more than the 4096 characters that AWS IoT takes."
  }
}

variable "next_csr" {
  description = "The same for the certificate that is to follow, while an identity is rotated; else empty"
  type        = string

  validation {
    condition     = var.next_csr == "" || can(regex("^-----BEGIN CERTIFICATE REQUEST-----[A-Za-z0-9+/=\\s]+-----END CERTIFICATE REQUEST-----\\s*$", var.next_csr))
    error_message = "next_csr must be empty, or one PEM certificate signing request and nothing else: never a private key."
  }
}

variable "policy" {
  description = "Name of the IoT policy that only this thing has"
  type        = string
}

variable "policy_document" {
  description = "JSON text of the IoT policy that only this thing has"
  type        = string

  validation {
    condition     = can(jsondecode(var.policy_document).Statement)
    error_message = "policy_document must be the JSON text of a policy document."
  }

  validation {
    condition     = length(replace(var.policy_document, "/\\s/", "")) <= 2048
    error_message = "policy_document has more than the 2048 characters, not counting white space, that AWS IoT takes."
  }
}

variable "revision" {
  description = "Digest of the other variables; comes back as an output, to tell which ones a state was applied with"
  type        = string
}
