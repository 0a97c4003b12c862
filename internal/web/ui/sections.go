package ui

// Link leads to a page of this server.
type Link struct{ Path, Name string }

// The sections of the pages, by the path of their first page. A page says with
// Frame.Here which it belongs to.
const (
	Workflows    = "/workflows"
	Runs         = "/executions"
	Secrets      = "/secrets"
	KV           = "/kv"
	Organization = "/organization"
	Admin        = "/admin"
	Account      = "/account"
)

// Search is where one looks for something in all of them.
const Search = "/search"

// sections are those that the reader may go to.
func (f Frame) sections() []Link {
	all := []Link{{Workflows, "Workflows"}, {Runs, "Runs"}, {Secrets, "Secrets"}, {KV, "Key-value store"}, {Organization, "Organization"}, {Account, "Account"}}
	if f.Admin {
		all = append(all, Link{Admin, "Admin"})
	}
	return all
}
