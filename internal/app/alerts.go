package app

import (
	"context"
	"errors"
	"net/http"

	"github.com/usefloww/flowwd/internal/alert"
	"github.com/usefloww/flowwd/internal/engine/embedded/fetch"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/mail"
	"github.com/usefloww/flowwd/internal/trigger"
)

// maxAlertAnswer bounds what is read of a receiver's answer, which says nothing
// but its status.
const maxAlertAnswer = 64 << 10

// alerts tells of failures. Addresses are chosen by users, so that what may not
// be reached by workflows may not be reached by notices.
func (s *Server) alerts(sender *mail.Sender, accepter trigger.Accepter) *alert.Service {
	client := fetch.New(fetch.Config{Policy: s.fetchPolicy, Own: s.ownAddresses, MaxResponse: maxAlertAnswer})
	s.parts.add(part{name: "the way of notices", share: 1, start: func(context.Context) error { return nil }, stop: func(context.Context) error {
		client.Close()
		return nil
	}})
	c := alert.Config{
		Store: s.store, Ring: s.keyring, Executions: s.executions, Workflows: s.store, Accepter: accepter,
		Post: func(ctx context.Context, url string, headers [][2]string, body []byte) (int, error) {
			return post(ctx, client, url, headers, body)
		},
		PublicURL: s.URL, IDs: s.ids, Now: s.config.Now, Log: s.log,
	}
	if sender != nil {
		c.Mail = func(ctx context.Context, l alert.Letter) error { return sender.Send(ctx, mail.Message(l)) }
	}
	return alert.New(c)
}

// post sends a notice. A redirect is no answer: it may lead anywhere.
func post(ctx context.Context, client *fetch.Client, url string, headers [][2]string, body []byte) (int, error) {
	answer, err := client.Do(ctx, fetch.Request{URL: url, Method: http.MethodPost, Headers: headers, Redirect: "manual", Body: body})
	if refused, ok := errors.AsType[*fetch.Refused](err); ok {
		return 0, fault.Because(err, fault.Invalid, "%v", refused)
	}
	if err != nil || answer.Body == nil {
		return status(answer), err
	}
	return status(answer), answer.Body.Close()
}

func status(answer *fetch.Response) int {
	if answer == nil {
		return 0
	}
	return answer.Status
}
