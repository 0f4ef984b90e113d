//go:build tools

// Keeps `go mod tidy` from dropping the requirement: the wrapper has no code of its own, it only builds
// github.com/hashicorp/consul-template (a main package) out of the module cache.
package tools

import _ "github.com/hashicorp/consul-template"
