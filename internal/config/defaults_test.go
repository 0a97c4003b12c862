package config

import "testing"

func TestDefaultsLeaveTheEnvironmentOut(t *testing.T) {
	t.Setenv("FLOWW_RUNNERS", "7")
	s, err := Defaults()
	if err != nil {
		t.Fatal(err)
	}
	if s.Runners != 32 || s.Listen != "127.0.0.1:8080" {
		t.Errorf("runners %d, listen %q; want the defaults", s.Runners, s.Listen)
	}
}
