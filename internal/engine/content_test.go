package engine

import "testing"

func TestKindOf(t *testing.T) {
	t.Parallel()
	for contentType, want := range map[string]BodyKind{
		"application/json; charset=utf-8": JSONBody, "application/vnd.api+JSON": JSONBody, "text/json": JSONBody,
		"application/x-www-form-urlencoded": FormBody, "multipart/form-data; boundary=x": MultipartBody,
		"text/plain": TextBody, "application/xml": TextBody, "image/svg+xml": TextBody, "text/html; =": TextBody,
		"application/octet-stream": BytesBody, "": BytesBody, ";": BytesBody,
	} {
		if got := KindOf(contentType); got != want {
			t.Errorf("%q is %s, want %s", contentType, got, want)
		}
	}
}

func TestCut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		n    int
		want string
	}{{"abc", 3, "abc"}, {"abc", 2, "ab"}, {"aß", 2, "a"}, {"ß", 1, ""}, {"", 0, ""}, {"€x", 3, "€"}} {
		if got := Cut(c.text, c.n); got != c.want {
			t.Errorf("%q cut to %d is %q, want %q", c.text, c.n, got, c.want)
		}
	}
}
