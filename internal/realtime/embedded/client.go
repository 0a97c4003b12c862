package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/centrifugal/centrifuge"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/realtime"
)

// unauthorized ends a connection for good: clients do not try again after codes
// from 4500 on (4.1 of identity-realtime-admin.md).
var unauthorized = centrifuge.Disconnect{Code: 4501, Reason: "unauthorized"}

// decideTimeout bounds the questions at a connect or a subscribe.
const decideTimeout = 5 * time.Second

type credentialKey struct{}

// connecting decides about a new connection.
func (n *Node) connecting(ctx context.Context, e centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
	reply, err := n.admit(ctx, e)
	reply.WriteDelay, reply.WriteWithTimer, reply.MaxMessagesInFrame = gather, true, -1
	return reply, err
}

func (n *Node) admit(ctx context.Context, e centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
	if e.Token != "" {
		return n.connectByToken(ctx, e.Token)
	}
	credential, _ := ctx.Value(credentialKey{}).(identity.Credential)
	if credential.Bearer == "" {
		// Libraries in browsers and the command line send headers inside the first
		// frame; real ones win.
		for name, value := range e.Headers {
			if http.CanonicalHeaderKey(name) == "Authorization" {
				credential.Bearer = bearer(value)
			}
		}
	}
	limited, cancel := context.WithTimeout(ctx, decideTimeout)
	defer cancel()
	p, err := n.config.Gate.Connect(limited, credential)
	switch {
	case err == nil:
	case realtime.Final(err):
		return centrifuge.ConnectReply{}, unauthorized
	default:
		n.config.Log.Warn("a realtime connection could not be decided about", "error", err)
		return centrifuge.ConnectReply{}, centrifuge.ErrorInternal
	}
	info, err := json.Marshal(realtime.Info{UserID: p.ID.String(), Page: credential.Bearer == ""})
	if err != nil {
		return centrifuge.ConnectReply{}, centrifuge.ErrorInternal
	}
	return centrifuge.ConnectReply{
		Context:     context.WithValue(ctx, credentialKey{}, credential),
		Credentials: &centrifuge.Credentials{UserID: p.ID.String(), Info: info},
	}, nil
}

// connectByToken lets in a client that shows a connection token. It may see only
// channels that it has tokens for.
func (n *Node) connectByToken(ctx context.Context, text string) (centrifuge.ConnectReply, error) {
	token, err := n.config.Tokens.Check(text, "")
	switch {
	case errors.Is(err, realtime.ErrExpired):
		return centrifuge.ConnectReply{}, centrifuge.ErrorTokenExpired
	case err != nil:
		return centrifuge.ConnectReply{}, unauthorized
	}
	return centrifuge.ConnectReply{
		// What else came with the request is not what let the client in.
		Context:           context.WithValue(ctx, credentialKey{}, nil),
		Credentials:       &centrifuge.Credentials{UserID: token.User, ExpireAt: token.Expires.Unix()},
		ClientSideRefresh: true,
	}, nil
}

// connected says what a client may do.
func (n *Node) connected(c *centrifuge.Client) {
	var refusals atomic.Int32
	c.OnSubscribe(func(e centrifuge.SubscribeEvent, answer centrifuge.SubscribeCallback) {
		// The connection's other commands go on meanwhile.
		go func() {
			reply, err := n.subscribe(c, e)
			answer(reply, err)
			// Whoever goes on asking for what is refused has the database asked each
			// time.
			if err != nil && refusals.Add(1) == maxRefusals {
				c.Disconnect(centrifuge.DisconnectTooManyErrors)
			}
		}()
	})
	c.OnUnsubscribe(func(e centrifuge.UnsubscribeEvent) { n.leave(e.Channel) })
	c.OnRefresh(func(e centrifuge.RefreshEvent, answer centrifuge.RefreshCallback) {
		token, err := n.config.Tokens.Check(e.Token, "")
		if err != nil || token.User != c.UserID() {
			answer(centrifuge.RefreshReply{Expired: true}, nil)
			return
		}
		answer(centrifuge.RefreshReply{ExpireAt: token.Expires.Unix()}, nil)
	})
	c.OnSubRefresh(func(e centrifuge.SubRefreshEvent, answer centrifuge.SubRefreshCallback) {
		token, err := n.config.Tokens.Check(e.Token, e.Channel)
		if err != nil || token.User != c.UserID() {
			answer(centrifuge.SubRefreshReply{Expired: true}, nil)
			return
		}
		answer(centrifuge.SubRefreshReply{ExpireAt: token.Expires.Unix()}, nil)
	})
	c.OnPresence(func(e centrifuge.PresenceEvent, answer centrifuge.PresenceCallback) {
		answer(centrifuge.PresenceReply{}, ofSubscriber(c, e.Channel))
	})
	c.OnPresenceStats(func(e centrifuge.PresenceStatsEvent, answer centrifuge.PresenceStatsCallback) {
		answer(centrifuge.PresenceStatsReply{}, ofSubscriber(c, e.Channel))
	})
	c.OnHistory(func(e centrifuge.HistoryEvent, answer centrifuge.HistoryCallback) {
		answer(centrifuge.HistoryReply{}, ofSubscriber(c, e.Channel))
	})
}

// ofSubscriber refuses questions about a channel by those who are not
// subscribed to it.
func ofSubscriber(c *centrifuge.Client, channel string) error {
	if !c.IsSubscribed(channel) {
		return centrifuge.ErrorPermissionDenied
	}
	return nil
}

// subscribe decides about a subscription, by the credential and not by what was
// found at the connect.
func (n *Node) subscribe(c *centrifuge.Client, e centrifuge.SubscribeEvent) (centrifuge.SubscribeReply, error) {
	if e.Token != "" {
		return n.subscribeByToken(c, e)
	}
	credential, ok := c.Context().Value(credentialKey{}).(identity.Credential)
	if !ok {
		return centrifuge.SubscribeReply{}, refused()
	}
	ctx, cancel := context.WithTimeout(c.Context(), decideTimeout)
	defer cancel()
	p, err := n.config.Gate.Connect(ctx, credential)
	if fault.Is(err, fault.Unauthenticated) {
		c.Disconnect(unauthorized)
	}
	if err == nil && p.ID.String() != c.UserID() {
		return centrifuge.SubscribeReply{}, refused()
	}
	if err == nil {
		_, err = n.config.Gate.Subscribe(ctx, p, e.Channel)
	}
	switch {
	case err == nil:
		return centrifuge.SubscribeReply{Options: options(e.Channel)}, nil
	case realtime.Final(err):
		return centrifuge.SubscribeReply{}, refused()
	default:
		n.config.Log.Warn("a realtime subscription could not be decided about", "channel", e.Channel, "error", err)
		return centrifuge.SubscribeReply{}, centrifuge.ErrorInternal
	}
}

func (n *Node) subscribeByToken(c *centrifuge.Client, e centrifuge.SubscribeEvent) (centrifuge.SubscribeReply, error) {
	token, err := n.config.Tokens.Check(e.Token, e.Channel)
	switch {
	case errors.Is(err, realtime.ErrExpired):
		return centrifuge.SubscribeReply{}, centrifuge.ErrorTokenExpired
	case err != nil || token.User != c.UserID():
		return centrifuge.SubscribeReply{}, refused()
	}
	o := options(e.Channel)
	o.ExpireAt = token.Expires.Unix()
	return centrifuge.SubscribeReply{Options: o, ClientSideRefresh: true}, nil
}

// refused is an error that clients take for final: 4.4 of
// identity-realtime-admin.md.
func refused() error {
	return &centrifuge.Error{Code: http.StatusForbidden, Message: realtime.ErrChannel().Error()}
}

// options are those of every subscription. The channel of nobody's events has
// no history and tells nobody who is there.
func options(channel string) centrifuge.SubscribeOptions {
	if channel == realtime.EventsChannel {
		return centrifuge.SubscribeOptions{}
	}
	return centrifuge.SubscribeOptions{EmitPresence: true, EnableRecovery: true}
}

// bearer returns the credential of an Authorization header.
func bearer(header string) string {
	scheme, credential, _ := strings.Cut(strings.TrimSpace(header), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(credential)
}
