package upstream

import "strings"

// challenge is a way to log in that an answer names (RFC 9110, 11.6.1).
type challenge struct {
	// scheme and the names of parameters are in lower case.
	scheme string
	params map[string]string
}

// challenges reads the values of WWW-Authenticate. What can't be read ends a
// value.
func challenges(values []string) (found []challenge) {
	for _, rest := range values {
		for {
			rest = strings.TrimLeft(rest, " \t,")
			word, after := token(rest)
			if word == "" {
				break
			}
			value, after, isParam := parameter(after)
			switch {
			case !isParam:
				found = append(found, challenge{scheme: strings.ToLower(word), params: map[string]string{}})
			case len(found) > 0:
				found[len(found)-1].params[strings.ToLower(word)] = value
			}
			rest = after
		}
	}
	return found
}

// token cuts a word off the front of a text.
func token(text string) (word, rest string) {
	end := strings.IndexAny(text, " \t,=\"")
	if end < 0 {
		end = len(text)
	}
	return text[:end], text[end:]
}

// parameter cuts the value of a parameter off the front of a text.
func parameter(text string) (value, rest string, ok bool) {
	after, ok := strings.CutPrefix(strings.TrimLeft(text, " \t"), "=")
	if !ok {
		return "", text, false
	}
	quoted, ok := strings.CutPrefix(strings.TrimLeft(after, " \t"), `"`)
	if !ok {
		value, rest = token(after)
		return value, rest, true
	}
	var b strings.Builder
	for i := 0; i < len(quoted); i++ {
		switch quoted[i] {
		case '"':
			return b.String(), quoted[i+1:], true
		case '\\':
			i++
		}
		if i < len(quoted) {
			b.WriteByte(quoted[i])
		}
	}
	return b.String(), "", true // it never ended
}
