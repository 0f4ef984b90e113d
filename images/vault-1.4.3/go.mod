module lab.local/vault

go 1.16

require github.com/hashicorp/vault v1.4.3
