package lines

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/id"
)

// ContentType is the one of JSON lines.
const ContentType = "application/x-ndjson"

const timeLayout = "2006-01-02T15:04:05.000Z"

type line struct {
	Seq            int64           `json:"seq"`
	ID             id.ID           `json:"id"`
	At             string          `json:"at"`
	OrganizationID *id.ID          `json:"organizationId"`
	Actor          actor           `json:"actor"`
	Action         audit.Action    `json:"action"`
	Outcome        audit.Outcome   `json:"outcome"`
	Target         target          `json:"target"`
	Before         json.RawMessage `json:"before"`
	After          json.RawMessage `json:"after"`
	Previous       string          `json:"previous"`
	Hash           string          `json:"hash"`
}

type actor struct {
	Kind      string `json:"kind"`
	ID        *id.ID `json:"id"`
	Name      string `json:"name"`
	Address   string `json:"address"`
	RequestID string `json:"requestId"`
}

type target struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

// Append adds the line of an entry, with its end, to a text.
func Append(text []byte, l audit.Link) ([]byte, error) {
	one := line{
		Seq: l.Seq, ID: l.ID, At: l.At.UTC().Format(timeLayout), OrganizationID: optional(l.OrganizationID),
		Actor:  actor{l.Actor.Kind, optional(l.Actor.ID), l.Actor.Name, l.Actor.Address, l.Actor.RequestID},
		Action: l.Action, Outcome: l.Outcome, Target: target{l.Target.Type, l.Target.ID},
		Before: object(l.Before), After: object(l.After),
		Previous: hex.EncodeToString(l.Previous[:]), Hash: hex.EncodeToString(l.Hash[:]),
	}
	b := bytes.NewBuffer(text)
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(one)
	return b.Bytes(), err
}

// object returns a JSON text as it is when it can stand in a line so, and as a
// JSON text within a JSON text otherwise: somebody may have changed it.
func object(text json.RawMessage) json.RawMessage {
	if text == nil {
		return nil
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, text); err == nil && bytes.Equal(compact.Bytes(), text) && text[0] == '{' {
		return text
	}
	quoted, err := json.Marshal(string(text))
	if err != nil {
		return nil
	}
	return quoted
}

func (l line) link() (audit.Link, error) {
	at, err := time.Parse(timeLayout, l.At)
	if err != nil {
		return audit.Link{}, err
	}
	link := audit.Link{
		Entry: audit.Entry{
			ID: l.ID, At: at, OrganizationID: required(l.OrganizationID),
			Actor:  audit.Actor{Kind: l.Actor.Kind, ID: required(l.Actor.ID), Name: l.Actor.Name, Address: l.Actor.Address, RequestID: l.Actor.RequestID},
			Action: l.Action, Outcome: l.Outcome, Target: audit.Target{Type: l.Target.Type, ID: l.Target.ID},
		},
		Seq: l.Seq,
	}
	for _, part := range []struct {
		text json.RawMessage
		into *json.RawMessage
	}{{l.Before, &link.Before}, {l.After, &link.After}} {
		if *part.into, err = unquoted(part.text); err != nil {
			return audit.Link{}, err
		}
	}
	for _, part := range []struct {
		text string
		into []byte
	}{{l.Previous, link.Previous[:]}, {l.Hash, link.Hash[:]}} {
		if len(part.text) != hex.EncodedLen(len(part.into)) {
			return audit.Link{}, hex.ErrLength
		}
		if _, err := hex.Decode(part.into, []byte(part.text)); err != nil {
			return audit.Link{}, err
		}
	}
	return link, nil
}

func unquoted(text json.RawMessage) (json.RawMessage, error) {
	if len(text) == 0 || string(text) == "null" {
		return nil, nil
	}
	if text[0] != '"' {
		return text, nil
	}
	var inside string
	err := json.Unmarshal(text, &inside)
	return json.RawMessage(inside), err
}

func optional(x id.ID) *id.ID {
	if x.IsZero() {
		return nil
	}
	return &x
}

func required(x *id.ID) id.ID {
	if x == nil {
		return id.ID{}
	}
	return *x
}
