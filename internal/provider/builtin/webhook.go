package builtin

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/provider"
	"github.com/usefloww/flowwd/internal/workflow"
)

const (
	maxPath        = 512
	maxDeliveryKey = 255
)

// methods are those that a webhook may be called with: workflows-runtime.md
// 1.6.4 of the wire contract.
var methods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

func checkWebhook(d workflow.Declaration) (provider.Need, error) {
	var input struct {
		Path   *string `json:"path"`
		Method *string `json:"method"`
	}
	if err := decode(d, &input, "a text path and a text method"); err != nil {
		return provider.Need{}, err
	}
	need := &provider.WebhookNeed{Method: http.MethodPost}
	if input.Method != nil {
		need.Method = strings.ToUpper(*input.Method)
		if !slices.Contains(methods, need.Method) {
			return provider.Need{}, fault.New(fault.Invalid, "method %.20q of %s is not one of %s", *input.Method, onWebhook, strings.Join(methods, ", "))
		}
	}
	if input.Path != nil {
		path, err := checkPath(*input.Path)
		if err != nil {
			return provider.Need{}, err
		}
		need.Path = path
	}
	return provider.Need{Webhook: need}, nil
}

// checkPath returns an author's path without slashes around it.
func checkPath(text string) (string, error) {
	path := strings.Trim(strings.TrimSpace(text), "/")
	refuse := func(why string) (string, error) {
		return "", fault.New(fault.Invalid, "path %.80q of %s %s", text, onWebhook, why)
	}
	switch {
	case path == "":
		return refuse("is empty; leave it out to get a random address")
	case len(path) > maxPath:
		return refuse(fmt.Sprintf("has %d bytes; at most %d are allowed", len(path), maxPath))
	case !utf8.ValidString(path):
		return refuse("is not valid UTF-8")
	case strings.ContainsFunc(path, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }):
		return refuse("must not contain white space or control characters")
	case strings.ContainsAny(path, `?#\%`):
		return refuse(`must not contain ? # \ or %`)
	}
	var params []string
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "" || segment == "." || segment == ".." {
			return refuse("must not contain empty, . or .. segments")
		}
		name, isParam := strings.CutPrefix(segment, ":")
		switch {
		case !isParam:
		case !paramName(name):
			return refuse(fmt.Sprintf("has the parameter %q; its name must be letters, digits and _, no digit first", segment))
		case slices.Contains(params, name):
			return refuse(fmt.Sprintf("has the parameter %q twice", segment))
		default:
			params = append(params, name)
		}
	}
	return path, nil
}

func paramName(name string) bool {
	for i, c := range []byte(name) {
		letter := c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}

// Receive accepts every delivery, and names it as its sender does.
func (Provider) Receive(_ workflow.Declaration, d provider.Delivery) (provider.Receipt, error) {
	key, varies := deliveryKey(d)
	if !varies && len(key) > maxDeliveryKey {
		return provider.Receipt{}, fault.New(fault.Invalid, "the Idempotency-Key has %d bytes; at most %d are allowed", len(key), maxDeliveryKey)
	}
	return provider.Receipt{Key: key, Varies: varies, Fields: eventFields(d), ContentType: d.Header.Get("Content-Type")}, nil
}
