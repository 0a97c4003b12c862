package engine

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
)

// Response is what a handler returned to be sent as it is: an object of the
// class Response.
type Response struct {
	Status int
	// Header are pairs of a name and a value; a name may stand more than once.
	Header [][2]string
	Body   []byte
}

// responseKey is the only member of a result that stands for a Response.
const responseKey = "$response"

// ResponseOf returns the Response that a result stands for; false when it is a
// plain value. An engine writes one as {"$response": {"status": 200, "headers":
// [["content-type", "text/plain"]], "body": "…"}}, with "base64" in the place of
// "body" where that is no text.
func ResponseOf(result json.RawMessage) (Response, bool) {
	if !bytes.HasPrefix(result, []byte(`{"`+responseKey+`":`)) {
		return Response{}, false
	}
	var wire struct {
		Response *struct {
			Status  int         `json:"status"`
			Headers [][2]string `json:"headers"`
			Body    string      `json:"body"`
			Base64  string      `json:"base64"`
		} `json:"$response"`
	}
	if err := json.Unmarshal(result, &wire); err != nil || wire.Response == nil {
		return Response{}, false
	}
	r := Response{Status: wire.Response.Status, Header: wire.Response.Headers, Body: []byte(wire.Response.Body)}
	if r.Status < 200 || r.Status > 599 {
		return Response{}, false
	}
	if wire.Response.Base64 != "" {
		body, err := base64.StdEncoding.DecodeString(wire.Response.Base64)
		if err != nil {
			return Response{}, false
		}
		r.Body = body
	}
	return r, true
}
