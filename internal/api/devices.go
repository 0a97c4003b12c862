package api

import (
	"context"
	"net/http"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/route"
)

type deviceBody struct {
	ID        id.ID     `json:"id"`
	Name      string    `json:"name" doc:"What the command line called itself"`
	Address   string    `json:"address" doc:"Where it began to log in from; of IPv6 the /64"`
	Current   bool      `json:"current" doc:"Whether this request comes from it"`
	CreatedAt timestamp `json:"createdAt"`
	LastSeen  timestamp `json:"lastSeenAt" doc:"When it was used last, to the minute"`
	ExpiresAt timestamp `json:"expiresAt" doc:"When the login ends unless it is used before"`
}

type deviceList struct {
	Results []deviceBody `json:"results" nullable:"false"`
	Total   int          `json:"total"`
}

func registerDevices(r *route.Router, d Deps) {
	const tag = "Identity"
	route.Operation(r, route.Spec{
		Method: http.MethodGet, Path: "/api/devices", Policy: access.Self(access.ReadWhoami),
		OperationID: "list-devices", Summary: "List the command lines that you are logged in with, the one used last first", Tag: tag,
	}, route.NoObject(), func(ctx context.Context, c route.Call[route.None], _ *struct{}) (*deviceList, error) {
		all, err := d.Devices.List(ctx, c.Principal)
		if err != nil {
			return nil, err
		}
		list := deviceList{Results: make([]deviceBody, len(all)), Total: len(all)}
		for i, x := range all {
			list.Results[i] = showDevice(x, c.Principal)
		}
		return &list, nil
	})
	route.Operation(r, route.Spec{
		Method: http.MethodDelete, Path: "/api/devices/{id}", Policy: access.Self(access.WriteSelf),
		OperationID: "end-device", Summary: "Log a command line of yours out", Tag: tag,
	}, route.NoObject(), func(ctx context.Context, c route.Call[route.None], _ *struct{}) (*deleted, error) {
		device, err := named(c, "There is no command line logged in with this id")
		if err != nil {
			return nil, err
		}
		if err := d.Devices.End(ctx, c.Principal, device); err != nil {
			return nil, err
		}
		return &deleted{ID: device, Message: "The command line was logged out", Success: true}, nil
	})
}

func showDevice(d identity.Device, p identity.Principal) deviceBody {
	return deviceBody{
		ID: d.ID, Name: d.Name, Address: d.Address, Current: d.ID == p.FamilyID,
		CreatedAt: timestamp(d.CreatedAt), LastSeen: timestamp(d.SeenAt), ExpiresAt: timestamp(d.ExpiresAt),
	}
}
