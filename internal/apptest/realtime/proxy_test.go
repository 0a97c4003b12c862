package realtime

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/usefloww/flowwd/internal/apptest"
)

// What Centrifugo asks at a connect, as version 6.9.1 was seen to write it for
// clients that tell much and clients that tell little. Versions 6.0 to 6.9 have
// the same fields; the last shapes are of its other transports.
var connectShapes = map[string]string{
	"of the command line": `{"client":"57082f59-ab22-4f1c-b2b6-7165b0876da4","transport":"websocket","protocol":"json","encoding":"json","name":"js"}`,
	"with all fields":     `{"client":"57082f59-ab22-4f1c-b2b6-7165b0876da4","transport":"websocket","protocol":"json","encoding":"json","data":{"a":1},"name":"js","version":"5.8.0","channels":["workflow:x"]}`,
	"with binary data":    `{"client":"c","transport":"websocket","protocol":"protobuf","encoding":"binary","b64data":"AAEC"}`,
	"with odd data":       `{"client":"c","transport":"websocket","protocol":"json","encoding":"json","data":[1,"two",null],"name":7,"version":false,"channels":"x"}`,
	"by server events":    `{"client":"c","transport":"sse","protocol":"json","encoding":"json"}`,
	"by streaming":        `{"client":"c","transport":"http_stream","protocol":"json","encoding":"json"}`,
	"of a later version":  `{"client":"c","transport":"webtransport","protocol":"json","encoding":"json","labels":{"a":"b"},"new":{"x":[{}]}}`,
	"the least":           `{}`,
}

func TestConnectQuestionsOfCentrifugo(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	me := s.JSON(t, 200, "GET", "/api/whoami", nil)["id"]
	for name, body := range connectShapes {
		for _, path := range []string{"/centrifugo/connect", "/api/centrifugo/connect"} {
			result := s.JSON(t, 200, "POST", path, body)["result"].(map[string]any)
			if result["user"] != me || len(result) != 3 {
				t.Errorf("%s: %s answers %v", name, path, result)
			}
			if _, expires := result["expire_at"]; expires {
				t.Errorf("%s: the connection expires, which the command line can't renew", name)
			}
			if r := s.Anonymous().Do(t, "POST", path, body); r.Status != 401 {
				t.Errorf("%s: without a credential %s answers %s, want 401", name, path, r)
			}
		}
	}
}

func TestSubscribeQuestionsOfCentrifugo(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	other := s.OtherTenant(t)
	me := s.JSON(t, 200, "GET", "/api/whoami", nil)["id"].(string)
	mine := s.Deploy(t, "mine", apptest.Handler(`return 1`)).WorkflowID
	theirs := other.Deploy(t, "theirs", apptest.Handler(`return 1`)).WorkflowID
	const head = `"client":"57082f59-ab22-4f1c-b2b6-7165b0876da4","transport":"websocket","protocol":"json","encoding":"json"`
	for name, c := range map[string]struct {
		body string
		code int // of the refusal; 0 for none
	}{
		"as seen":               {fmt.Sprintf(`{%s,"user":%q,"channel":"workflow:%s"}`, head, me, mine), 0},
		"with all fields":       {fmt.Sprintf(`{%s,"user":%q,"channel":"workflow:%s","token":"t","meta":{"user_id":%[2]q},"data":{"a":1}}`, head, me, mine), 0},
		"with binary data":      {fmt.Sprintf(`{%s,"user":%q,"channel":"workflow:%s","b64data":"AAEC"}`, head, me, mine), 0},
		"with labels, 6.9":      {fmt.Sprintf(`{%s,"user":%q,"channel":"workflow:%s","labels":{"a":"b"}}`, head, me, mine), 0},
		"the least":             {fmt.Sprintf(`{"channel":"workflow:%s"}`, mine), 0},
		"everybody's":           {fmt.Sprintf(`{%s,"user":%q,"channel":"workflow:events"}`, head, me), 0},
		"another's workflow":    {fmt.Sprintf(`{%s,"user":%q,"channel":"workflow:%s"}`, head, me, theirs), 403},
		"as somebody else":      {fmt.Sprintf(`{%s,"user":%q,"channel":"workflow:%s"}`, head, theirs, mine), 403},
		"no workflow":           {`{"channel":"workflow:00000000-0000-0000-0000-000000000000"}`, 403},
		"no id":                 {`{"channel":"workflow:x"}`, 403},
		"an id in capitals":     {fmt.Sprintf(`{"channel":"workflow:%s"}`, strings.ToUpper(mine)), 403},
		"an id in braces":       {fmt.Sprintf(`{"channel":"workflow:{%s}"}`, mine), 403},
		"a statement":           {`{"channel":"workflow:' OR 1=1 --"}`, 403},
		"another namespace":     {fmt.Sprintf(`{"channel":"execution:%s"}`, mine), 403},
		"no namespace":          {fmt.Sprintf(`{"channel":%q}`, mine), 403},
		"no channel":            {`{}`, 403},
		"a channel of no text":  {`{"channel":["workflow:events"]}`, 403},
		"a very long channel":   {`{"channel":"workflow:` + strings.Repeat("a", 60_000) + `"}`, 403},
		"a channel of no UTF-8": {"{\"channel\":\"workflow:\xff\xfe\"}", 403},
	} {
		for _, path := range []string{"/centrifugo/subscribe", "/api/centrifugo/subscribe"} {
			r := s.Do(t, "POST", path, c.body)
			var answer struct {
				Result map[string]any
				Error  struct{ Code int }
			}
			if err := json.Unmarshal(r.Body, &answer); err != nil || r.Status != 200 || answer.Error.Code != c.code || (answer.Result == nil) != (c.code > 0) {
				t.Errorf("%s: %s answers %s", name, path, r)
			}
			// A refusal of who somebody is is final for the client, too.
			r = s.Anonymous().Do(t, "POST", path, c.body)
			if r.Status != 200 || !strings.Contains(string(r.Body), `"code":403`) {
				t.Errorf("%s: without a credential %s answers %s", name, path, r)
			}
		}
	}
}

// What is no question is refused as such, and whoever is not Centrifugo learns
// nothing, not even whether a credential is good.
func TestWhatIsNoQuestionOfCentrifugo(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	for _, path := range []string{"/centrifugo/connect", "/centrifugo/subscribe"} {
		for name, c := range map[string]struct {
			body   string
			status int
		}{
			"nothing":       {"", 400},
			"no JSON":       {"client=1", 400},
			"cut off":       {`{"client":"x"`, 400},
			"a list":        {`[]`, 400},
			"a text":        {`"x"`, 400},
			"two objects":   {`{}{}`, 400},
			"too large":     {`{"data":"` + strings.Repeat("x", 70_000) + `"}`, 413},
			"deeply nested": {strings.Repeat(`{"data":`, 11_000) + "1" + strings.Repeat("}", 11_000), 413},
			"deep, within":  {strings.Repeat(`[`, 30_000) + strings.Repeat("]", 30_000), 400},
		} {
			if r := s.Do(t, "POST", path, c.body); r.Status != c.status {
				t.Errorf("%s to %s: %s, want %d", name, path, r, c.status)
			}
		}
		for _, headers := range [][]string{{"X-Forwarded-For", "203.0.113.9"}, {"X-Forwarded-For", "203.0.113.9", "X-Floww-Proxy-Secret", "x"}} {
			for _, c := range []*apptest.Client{s.Client, s.Anonymous()} {
				if r := c.Do(t, "POST", path, `{"channel":"workflow:events"}`, headers...); r.Status != 403 {
					t.Errorf("who is not Centrifugo is answered %s", r)
				}
			}
		}
		if r := s.Do(t, "GET", path, nil); r.Status != 405 {
			t.Errorf("GET %s: %s", path, r)
		}
	}
}
