package tenant

import (
	"fmt"
	"html"
	"strings"
)

// invitationLetter is the mail of an invitation. Names come from people: they
// are on one line each, and escaped.
func invitationLetter(i Invitation, o Organization, by, link string) Letter {
	by, name := oneLine(by), oneLine(o.DisplayName)
	if by == "" {
		by = "Somebody"
	}
	until := i.ExpiresAt.UTC().Format("2 January 2006, 15:04 UTC")
	subject := fmt.Sprintf("%s invites you to %s", by, name)
	text := fmt.Sprintf(`%s invites you to the organization %s on Floww, as %s.

Open this link, log in, and accept:

%s

The link works once, until %s. Whoever has it can use it: don't pass it on.
If you did not expect this, do nothing.
`, by, name, i.Role, link, until)
	page := fmt.Sprintf(`<!doctype html>
<html><body>
<p>%s invites you to the organization <b>%s</b> on Floww, as %s.</p>
<p><a href="%s">Accept the invitation</a></p>
<p>The link works once, until %s. Whoever has it can use it: don't pass it on.<br>
If you did not expect this, do nothing.</p>
</body></html>
`, html.EscapeString(by), html.EscapeString(name), i.Role, html.EscapeString(link), until)
	return Letter{To: i.Email, Subject: subject, Text: text, HTML: page}
}

// oneLine keeps a name from making more of a mail than a name.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
