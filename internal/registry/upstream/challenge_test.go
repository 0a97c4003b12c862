package upstream

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestChallenges(t *testing.T) {
	t.Parallel()
	bearer := func(params ...string) challenge {
		c := challenge{"bearer", map[string]string{}}
		for i := 0; i < len(params); i += 2 {
			c.params[params[i]] = params[i+1]
		}
		return c
	}
	basic := challenge{"basic", map[string]string{"realm": "r"}}
	for _, c := range []struct {
		values []string
		want   []challenge
	}{
		{nil, nil},
		{[]string{`Bearer realm="https://a/token",service="s",scope="repository:a/b:pull,push"`}, []challenge{bearer("realm", "https://a/token", "service", "s", "scope", "repository:a/b:pull,push")}},
		{[]string{`Bearer realm = "a" , Service=s`, `Basic realm="r"`}, []challenge{bearer("realm", "a", "service", "s"), basic}},
		{[]string{`Basic realm="r", Bearer realm="a"`}, []challenge{basic, bearer("realm", "a")}},
		{[]string{`BASIC Realm="\r"`}, []challenge{basic}},
		{[]string{`Bearer realm="never ends`}, []challenge{bearer("realm", "never ends")}},
		{[]string{`realm="of nothing"`, `="x"`, `"`, `,,`}, nil},
		{[]string{`Negotiate`, `Basic realm="r"`}, []challenge{{"negotiate", map[string]string{}}, basic}},
	} {
		if diff := cmp.Diff(c.want, challenges(c.values), cmp.AllowUnexported(challenge{})); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.values, diff)
		}
	}
}

// Whatever an upstream says, reading it ends.
func TestChallengesEnd(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		challenges([]string{rapid.StringOf(rapid.SampledFrom([]rune(`aB=", \	`))).Draw(t, "value")})
	})
}
