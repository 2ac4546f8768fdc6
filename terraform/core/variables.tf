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
  description = "Name of the core, which is its thing's name"
  type        = string
}

variable "group" {
  description = "Name of the thing group that the core joins: it must exist, and stays when the core goes"
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

variable "core_policy" {
  description = "Name of the IoT policy that every core of the instance has (an output of the instance)"
  type        = string
}

variable "device_policy" {
  description = "Name of the IoT policy that only this core has"
  type        = string
}

variable "device_policy_document" {
  description = "JSON text of the IoT policy that only this core has"
  type        = string

  validation {
    condition     = can(jsondecode(var.device_policy_document).Statement)
    error_message = "device_policy_document must be the JSON text of a policy document."
  }

  validation {
    condition     = length(replace(var.device_policy_document, "/\\s/", "")) <= 2048
    error_message = "device_policy_document has more than the 2048 characters, not counting white space, that AWS IoT takes."
  }
}

variable "revision" {
  description = "Digest of the other variables; comes back as an output, to tell which ones a state was applied with"
  type        = string
}
