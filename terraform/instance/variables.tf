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
  description = "Name of the instance: every resource carries it as the tag dospesos:instance"
  type        = string
}

variable "token_exchange_role" {
  description = "Name of the IAM role whose rights the cores take on"
  type        = string
}

variable "token_exchange_policy" {
  description = "JSON text: what the cores may do with AWS services"
  type        = string

  validation {
    condition     = can(jsondecode(var.token_exchange_policy).Statement)
    error_message = "token_exchange_policy must be the JSON text of a policy document."
  }
}

variable "token_exchange_alias" {
  description = "Name of the IoT role alias through which the cores ask for the role"
  type        = string
}

variable "core_policy" {
  description = "Name of the IoT policy that every core of the instance has"
  type        = string
}

variable "core_policy_document" {
  description = "JSON text of the IoT policy that every core of the instance has"
  type        = string

  validation {
    condition     = can(jsondecode(var.core_policy_document).Statement)
    error_message = "core_policy_document must be the JSON text of a policy document."
  }

  validation {
    condition     = length(replace(var.core_policy_document, "/\\s/", "")) <= 2048
    error_message = "core_policy_document has more than the 2048 characters, not counting white space, that AWS IoT takes."
  }
}

variable "revision" {
  description = "Digest of the other variables; comes back as an output, to tell which ones a state was applied with"
  type        = string
}
