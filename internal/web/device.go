package web

import (
	"context"
	"net/http"
	"time"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/web/ui"
)

// Devices lets command lines in, and shows those that are.
type Devices interface {
	Waiting(ctx context.Context, p identity.Principal, typed, address string) (identity.DeviceCode, error)
	Answer(ctx context.Context, p identity.Principal, typed, address string, approve bool) (identity.DeviceCode, error)
	List(ctx context.Context, p identity.Principal) ([]identity.Device, error)
	End(ctx context.Context, p identity.Principal, device id.ID) error
}

// devicePath is where a command line sends the person at it; shortDevicePath is
// for typing.
const (
	devicePath      = "/auth/device/verify"
	shortDevicePath = "/device"
)

// registerDevice registers the page on which somebody lets a command line in: V2
// and V3 of identity-realtime-admin.md.
func registerDevice(r *route.Router, d Deps) {
	spec := route.Spec{
		Path: devicePath, Aliases: []string{"/api" + devicePath, shortDevicePath}, Policy: access.Self(access.ApproveDevice), Page: true,
	}
	spec.Method = http.MethodGet
	route.Raw(r, spec, route.NoObject(), d.devicePage)
	spec.Method, spec.Body, spec.BodyLimit = http.MethodPost, true, ui.MaxForm
	route.Raw(r, spec, route.NoObject(), d.postDevice)
}

// deviceView is a command line that waits for an answer.
type deviceView struct {
	Code, Name, Address, Reader string
	Since                       time.Time
	// SameAddress says that the reader's browser comes from the same address.
	SameAddress bool
}

// devicePage shows who waits behind a code, or asks for the code.
func (d Deps) devicePage(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
	typed := r.URL.Query().Get("user_code")
	if typed == "" {
		return d.askForCode(w, r, c, http.StatusOK, "", "")
	}
	address := route.ClientAddress(r.Context())
	code, err := d.Devices.Waiting(r.Context(), c.Principal, typed, address)
	if err != nil {
		return d.refuseCode(w, r, c, typed, err)
	}
	return ui.Show(w, r, http.StatusOK, d.Frame("Log a command line in", c.Principal), devicePage(deviceView{
		Code: code.UserCode, Name: code.Name, Address: code.Address, Since: code.CreatedAt, Reader: c.Principal.User.Label(),
		SameAddress: code.Address == identity.Network(address),
	}))
}

func (d Deps) askForCode(w http.ResponseWriter, r *http.Request, c route.Call[route.None], status int, typed, problem string) error {
	return ui.Show(w, r, status, d.Frame("Log a command line in", c.Principal), codePage(typed, problem))
}

// refuseCode asks for another code where the one that was typed is none. Clients
// know the page with status 200 then.
func (d Deps) refuseCode(w http.ResponseWriter, r *http.Request, c route.Call[route.None], typed string, err error) error {
	if fault.Is(err, fault.NotFound) {
		return d.askForCode(w, r, c, http.StatusOK, typed, ui.Sentence(err.Error()))
	}
	status, text, err := ui.Problem(w, err)
	if err != nil {
		return err
	}
	return d.askForCode(w, r, c, status, typed, text)
}

// postDevice takes the answer. A form without a decision approves, as V3 has it:
// whoever posts it has seen the code.
func (d Deps) postDevice(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
	f, err := ui.ReadForm(r, c.Body)
	if err != nil {
		return err
	}
	typed, decision := f.Get("usercode"), f.Get("decision")
	if decision != "" && decision != "approve" && decision != "deny" {
		return d.askForCode(w, r, c, http.StatusBadRequest, typed, "Choose whether to let the command line in.")
	}
	approve := decision != "deny"
	if _, err := d.Devices.Answer(r.Context(), c.Principal, typed, route.ClientAddress(r.Context()), approve); err != nil {
		return d.refuseCode(w, r, c, typed, err)
	}
	n := ui.Notice{Title: "The command line was denied", Text: "It is not logged in. You can close this page."}
	if approve {
		n = ui.Notice{
			Title: "The command line is logged in", Text: "Go back to it; you can close this page. Your account shows it, and can sign it out.",
			Link: accountPath, LinkText: "Your account",
		}
	}
	return ui.Show(w, r, http.StatusOK, d.Frame(n.Title, c.Principal), ui.Message(n))
}

func (d Deps) postEndDevice(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
	device, err := id.Parse(c.Param("id"))
	if err != nil {
		return fault.New(fault.NotFound, "There is no command line logged in with this id")
	}
	if err := d.Devices.End(r.Context(), c.Principal, device); err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	return d.did(w, r, "device", 1)
}
