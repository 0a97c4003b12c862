package upstream

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"

	"github.com/usefloww/flowwd/internal/registry"
)

// What clients are told when it is not for them to do something about it. The
// reasons are in the log.
var (
	errUnreachable = registry.NewError(http.StatusServiceUnavailable, "UNAVAILABLE", "the registry behind this server can't be reached; try again later")
	errSilent      = registry.NewError(http.StatusServiceUnavailable, "UNAVAILABLE", "the registry behind this server does not answer; try again later")
	errFailing     = registry.NewError(http.StatusBadGateway, "UNAVAILABLE", "the registry behind this server fails; try again later")
	errNonsense    = registry.NewError(http.StatusBadGateway, "UNKNOWN", "the registry behind this server gave an answer that none gives; whoever runs this server finds the reason in its log")
	errRefused     = registry.NewError(http.StatusBadGateway, "UNKNOWN", "the registry behind this server refuses its credentials; whoever runs this server must correct REGISTRY_AUTH_USER and REGISTRY_AUTH_PASSWORD, or what they may do there")
)

// because adds the reason, which is for the log alone.
func because(e *registry.Error, format string, values ...any) error {
	return fmt.Errorf("%w: %s", e, fmt.Sprintf(format, values...))
}

const (
	// errorSize bounds a refusal of the upstream, maxText its message.
	errorSize = 64 << 10
	maxText   = 500
)

var codeForm = regexp.MustCompile(`^[A-Z_]{1,64}$`)

// refusal is what is said instead of an answer that is no success. What the
// upstream says about the request is passed on, what it says about this server
// is not.
func refusal(w http.ResponseWriter, res *http.Response) error {
	retry := func() {
		if after := res.Header.Get("Retry-After"); len(after) < len(http.TimeFormat)+1 {
			w.Header().Set("Retry-After", after)
		}
	}
	switch status := res.StatusCode; {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return because(errRefused, "it answers %d", status)
	case status == http.StatusTooManyRequests:
		retry()
		return registry.NewError(status, "TOOMANYREQUESTS", "the registry behind this server is asked too often; try again later")
	case status == http.StatusServiceUnavailable:
		retry()
		return because(errSilent, "it answers %d", status)
	case status >= http.StatusInternalServerError:
		return because(errFailing, "it answers %d", status)
	case status < http.StatusBadRequest:
		return because(errNonsense, "it answers %d", status)
	}
	said := registry.NewError(res.StatusCode, "UNKNOWN", "the registry behind this server answers %d", res.StatusCode)
	if res.StatusCode == http.StatusNotFound {
		said.Code = "NAME_UNKNOWN"
	}
	var body struct {
		Errors []struct{ Code, Message string }
	}
	content, err := io.ReadAll(io.LimitReader(res.Body, errorSize))
	if err == nil && json.Unmarshal(content, &body) == nil && len(body.Errors) > 0 && codeForm.MatchString(body.Errors[0].Code) {
		said.Code = body.Errors[0].Code
		if text := []rune(body.Errors[0].Message); len(text) > 0 {
			said.Message = string(text[:min(len(text), maxText)])
		}
	}
	return said
}
