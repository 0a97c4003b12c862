package route

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
)

// Description returns the OpenAPI document of all registered operations.
func (rt *Router) Description() ([]byte, error) {
	// huma describes its own error types even where nothing refers to them.
	schemas := rt.api.OpenAPI().Components.Schemas.Map()
	delete(schemas, "ErrorModel")
	delete(schemas, "ErrorDetail")
	return json.Marshal(rt.api.OpenAPI())
}

// describe returns what the description says about a route, apart from its
// input and output.
func (rt *Router) describe(s Spec, objectParam string) huma.Operation {
	op := huma.Operation{
		OperationID:   s.OperationID,
		Method:        s.Method,
		Path:          s.Path,
		Summary:       s.Summary,
		Description:   s.Description,
		DefaultStatus: s.Status,
		// The body is bounded and read before huma sees it.
		MaxBodyBytes:    -1,
		BodyReadTimeout: -1,
		Responses:       rt.failure(),
	}
	if s.Tag != "" {
		op.Tags = []string{s.Tag}
	}
	if !s.Policy.IsPublic() {
		op.Security = []map[string][]string{{securityScheme: {}}}
	}
	for _, name := range wildcardNames(s.Path) {
		p := &huma.Param{Name: name, In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}}
		if name == objectParam {
			p.Schema.Format = "uuid"
		}
		op.Parameters = append(op.Parameters, p)
	}
	return op
}

// describeRaw puts a Raw route into the description.
func (rt *Router) describeRaw(s Spec, objectParam string) (err error) {
	defer catch(s, &err)
	op := rt.describe(s, objectParam)
	contentType := s.ContentType
	if contentType == "" {
		contentType = jsonType
	}
	op.Responses[strconv.Itoa(s.Status)] = &huma.Response{
		Description: http.StatusText(s.Status),
		Content:     map[string]*huma.MediaType{contentType: {}},
	}
	rt.api.OpenAPI().AddOperation(&op)
	return nil
}

// catch turns a panic into an error: huma panics when what it is told is wrong.
func catch(s Spec, err *error) {
	if v := recover(); v != nil {
		*err = fmt.Errorf("route %s %s: %v", s.Method, s.Path, v)
	}
}

func (rt *Router) failure() map[string]*huma.Response {
	schema := rt.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[problem](), true, "Problem")
	return map[string]*huma.Response{"default": {
		Description: "Why the request failed",
		Content:     map[string]*huma.MediaType{jsonType: {Schema: schema}},
	}}
}
