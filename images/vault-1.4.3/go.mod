module lab.local/vault

go 1.16

require (
	github.com/hashicorp/vault v1.4.3
	// In its own tree the release takes the client beside it (replace => ./api), which is no module version of its own; the first one after it has its fields.
	github.com/hashicorp/vault/api v1.0.5-0.20200805123347-1ef507638af6
)
