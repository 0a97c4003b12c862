package engine_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/engine"
)

func TestResponseOf(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		result string
		want   *engine.Response
	}{
		{`{"$response":{"status":201,"headers":[["a","1"],["a","2"]],"body":"hi"}}`, &engine.Response{Status: 201, Header: [][2]string{{"a", "1"}, {"a", "2"}}, Body: []byte("hi")}},
		{`{"$response":{"status":200,"headers":[],"base64":"/wA="}}`, &engine.Response{Status: 200, Header: [][2]string{}, Body: []byte{0xff, 0}}},
		{`{"$response":{"status":204,"headers":[]}}`, &engine.Response{Status: 204, Header: [][2]string{}, Body: []byte{}}},
		{`{"$response":{"status":101,"headers":[]}}`, nil},
		{`{"$response":{"status":200,"base64":"%"}}`, nil},
		{`{"$response":null}`, nil},
		{`{"$response":"x"}`, nil},
		{`{"status":200}`, nil},
		{``, nil},
	} {
		got, ok := engine.ResponseOf(json.RawMessage(tc.result))
		if ok != (tc.want != nil) {
			t.Errorf("%s is a response: %v", tc.result, ok)
		} else if ok {
			if diff := cmp.Diff(*tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.result, diff)
			}
		}
	}
}
