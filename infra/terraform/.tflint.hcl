# tflint's own rules for the language, all of them.
tflint {
  required_version = ">= 0.50"
}

plugin "terraform" {
  enabled = true
  preset  = "all"
}

# terraform-docs reads a module's head from a comment of this form.
rule "terraform_comment_syntax" {
  enabled = false
}

# A root is links to files by what they are about, and an example is one file.
rule "terraform_standard_module_structure" {
  enabled = false
}

# An example has the link to the one file of versions, as all others have, and uses the provider in its module.
rule "terraform_unused_required_providers" {
  enabled = false
}
