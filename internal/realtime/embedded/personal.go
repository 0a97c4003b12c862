package embedded

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"

	"github.com/centrifugal/centrifuge"

	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/realtime"
)

// Here implements realtime.Transport.
func (n *Node) Here(channel string, user id.ID) (present, known bool) {
	for range n.programs(channel, user.String()) {
		return true, true
	}
	return false, n.config.Redis == ""
}

// Present implements realtime.Transport.
func (n *Node) Present(_ context.Context, channel string, user id.ID) (bool, error) {
	if present, known := n.Here(channel, user); known {
		return present, nil
	}
	found, err := n.node.Presence(channel)
	if err != nil {
		return false, fmt.Errorf("read who is subscribed: %w", err)
	}
	for _, client := range found.Presence {
		var info realtime.Info
		if client.UserID == user.String() && json.Unmarshal(client.ConnInfo, &info) == nil && info.UserID != "" && !info.Page {
			return true, nil
		}
	}
	return false, nil
}

// programs are the connections of a user to this node that are subscribed to a
// channel, and were let in by a credential of their own: no pages in browsers,
// and nobody who has but a token.
func (n *Node) programs(channel, user string) iter.Seq[*centrifuge.Client] {
	return func(yield func(*centrifuge.Client) bool) {
		for _, c := range n.node.Hub().UserConnections(user) {
			credential, _ := c.Context().Value(credentialKey{}).(identity.Credential)
			if credential.Bearer != "" && c.IsSubscribed(channel) && !yield(c) {
				return
			}
		}
	}
}

// personal is the word by which nodes tell each other what is for some users.
const personal = "personal"

// letter is a publication for some users.
type letter struct {
	Channel string          `json:"channel"`
	Users   []string        `json:"users"`
	Data    json.RawMessage `json:"data"`
}

// publishTo sends data to the programs of users alone, on all nodes.
func (n *Node) publishTo(channel string, data []byte, users []id.ID) error {
	l := letter{Channel: channel, Data: data}
	for _, u := range users {
		l.Users = append(l.Users, u.String())
	}
	if n.config.Redis == "" {
		n.deliver(l)
		return nil
	}
	text, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("write a publication for some users: %w", err)
	}
	return n.node.Notify(personal, text, "") // to this node too
}

func (n *Node) notified(e centrifuge.NotificationEvent) {
	var l letter
	if e.Op == personal && json.Unmarshal(e.Data, &l) == nil {
		n.deliver(l)
	}
}

// deliver writes to the programs that are connected here. One that can't be
// written to is gone.
func (n *Node) deliver(l letter) {
	for _, user := range l.Users {
		for c := range n.programs(l.Channel, user) {
			if err := c.WritePublication(l.Channel, &centrifuge.Publication{Data: l.Data}, centrifuge.StreamPosition{}); err != nil {
				n.config.Log.Debug("a publication for one user was not written", "channel", l.Channel, "error", err)
			}
		}
	}
}
