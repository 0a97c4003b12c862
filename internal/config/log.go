package config

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// LogLevel is the least level that is logged.
type LogLevel slog.Level

// UnmarshalText reads debug, info, warn or error in any case.
func (l *LogLevel) UnmarshalText(text []byte) error {
	switch strings.ToLower(string(text)) {
	case "debug":
		*l = LogLevel(slog.LevelDebug)
	case "info":
		*l = LogLevel(slog.LevelInfo)
	case "warn", "warning":
		*l = LogLevel(slog.LevelWarn)
	case "error":
		*l = LogLevel(slog.LevelError)
	default:
		return fmt.Errorf("%.40q is no level; allowed: debug, info, warn, error", text)
	}
	return nil
}

// String returns the level in lower case.
func (l LogLevel) String() string { return strings.ToLower(slog.Level(l).String()) }

// LogFormat is the form of log lines.
type LogFormat string

// The forms of log lines.
const (
	LogText LogFormat = "text"
	LogJSON LogFormat = "json"
)

// UnmarshalText reads text or json in any case.
func (f *LogFormat) UnmarshalText(text []byte) error {
	switch got := LogFormat(strings.ToLower(string(text))); got {
	case LogText, LogJSON:
		*f = got
		return nil
	default:
		return fmt.Errorf("%.40q is no form of a log; allowed: text, json", text)
	}
}

// Logger returns the logger that the settings ask for, writing to w.
func (s *Settings) Logger(w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: slog.Level(s.LogLevel)}
	if s.LogFormat == LogJSON {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
