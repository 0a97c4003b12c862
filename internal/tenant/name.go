package tenant

import (
	"strings"

	"github.com/usefloww/flowwd/internal/id"
)

const (
	// maxDerivedName bounds the part of a derived name that is made of a display
	// name.
	maxDerivedName = 40
	// nameTail is how many characters of the id end a derived name. They are the
	// last ones of the id, which are random.
	nameTail = 8
)

// NameFor derives the name of an organization from its display name. It ends
// with a part of the id, so that equal display names get different names.
func NameFor(displayName string, of id.ID) string {
	var b strings.Builder
	dash := false
	for _, r := range strings.ToLower(displayName) {
		letter := 'a' <= r && r <= 'z' || '0' <= r && r <= '9'
		if letter && dash && b.Len() > 0 {
			b.WriteByte('-')
		}
		if letter {
			b.WriteRune(r)
		}
		dash = !letter
		if b.Len() >= maxDerivedName {
			break
		}
	}
	if b.Len() > 0 {
		b.WriteByte('-')
	}
	text := of.String()
	return b.String() + text[len(text)-nameTail:]
}
