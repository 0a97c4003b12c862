package config

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// Traces says where traces are sent. Its variables are those of the OpenTelemetry
// specification.
type Traces struct {
	TraceEndpoint string  `name:"otlp-endpoint" env:"OTEL_EXPORTER_OTLP_ENDPOINT" placeholder:"URL" group:"Traces" help:"Base address of an OpenTelemetry receiver (OTLP over HTTP), such as http://localhost:4318, that traces of requests and runs are sent to; none are made when unset."`
	TraceHeaders  string  `name:"otlp-headers" env:"OTEL_EXPORTER_OTLP_HEADERS" placeholder:"LIST" group:"Traces" secret:"" help:"Headers for the receiver, with commas: api-key=KEY,x-team=ops; what is special in a value is written as in URLs. A flag can be read by other users of the machine: prefer the variable or its file."`
	TraceProtocol string  `name:"otlp-protocol" env:"OTEL_EXPORTER_OTLP_PROTOCOL" default:"http/protobuf" placeholder:"NAME" group:"Traces" help:"How traces are sent; http/protobuf is the only way."`
	TraceService  string  `name:"otlp-service-name" env:"OTEL_SERVICE_NAME" default:"flowwd" placeholder:"NAME" group:"Traces" help:"Name that the traces of this server carry."`
	TraceShare    float64 `name:"otlp-share" env:"OTEL_TRACES_SAMPLER_ARG" default:"1" placeholder:"SHARE" group:"Traces" help:"Share of the traces that is made, from 0 to 1: 0.01 makes one of a hundred. All servers of an installation choose the same."`
}

// otlpHTTP is the protocol that is spoken.
const otlpHTTP = "http/protobuf"

// Traced reports whether traces are sent.
func (t *Traces) Traced() bool { return t.TraceEndpoint != "" }

// Headers reads the headers for the receiver. The error does not repeat them.
func (t *Traces) Headers() (http.Header, error) {
	headers := http.Header{}
	for pair := range strings.SplitSeq(t.TraceHeaders, ",") {
		if pair = strings.TrimSpace(pair); pair == "" {
			continue
		}
		name, value, found := strings.Cut(pair, "=")
		name = strings.TrimSpace(name)
		value, err := url.PathUnescape(strings.TrimSpace(value))
		if !found || err != nil || !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
			return nil, fmt.Errorf("it is no list of headers; give NAME=VALUE with commas between, and %%2C for a comma in a value")
		}
		headers.Add(name, value)
	}
	return headers, nil
}

// checkTraces says what is wrong with how traces are sent. What is set for other
// programs of the machine does not matter where none are.
func (t *Traces) checkTraces(add func(name, format string, args ...any)) {
	if !t.Traced() {
		return
	}
	if text := checkURL(t.TraceEndpoint); text != "" {
		add("OTEL_EXPORTER_OTLP_ENDPOINT (--otlp-endpoint)", "%s", text)
	}
	if t.TraceProtocol != otlpHTTP {
		add("OTEL_EXPORTER_OTLP_PROTOCOL (--otlp-protocol)", "%q is not spoken; give %s, and the receiver's port for it, which mostly is 4318", t.TraceProtocol, otlpHTTP)
	}
	if _, err := t.Headers(); err != nil {
		add("OTEL_EXPORTER_OTLP_HEADERS (--otlp-headers)", "%v", err)
	}
	if !(t.TraceShare >= 0 && t.TraceShare <= 1) {
		add("OTEL_TRACES_SAMPLER_ARG (--otlp-share)", "%v is no share; give 0 to 1", t.TraceShare)
	}
}
