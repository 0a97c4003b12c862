package api

import (
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/runtimes"
)

type pushRequest struct {
	Body struct {
		ImageHash      string           `json:"imageHash" doc:"Names the image: what it is pushed as a tag under"`
		OrganizationID optional[string] `json:"organizationId,omitempty" doc:"Whose image it is; needed by those who are in several organizations"`
	}
}

// pushBody answers both generations of clients.
type pushBody struct {
	Password       string `json:"password" doc:"For docker login, with any user name"`
	ExpiresIn      int    `json:"expires_in" doc:"In seconds"`
	RegistryURL    string `json:"registry_url" doc:"Host and repository, what the image is tagged with before the colon"`
	RegistryURLNew string `json:"registryUrl"`
	ImageTag       string `json:"image_tag"`
	ImageTagNew    string `json:"imageTag"`
	Username       string `json:"username"`
}

type createRuntime struct {
	Body struct {
		Config struct {
			// What is inside of a config keeps its names.
			ImageHash    string `json:"imageHash,omitempty" doc:"The tag of an image that was pushed"`
			ImageHashOld string `json:"image_hash,omitempty" doc:"The same"`
		} `json:"config"`
		OrganizationID optional[string] `json:"organizationId,omitempty" doc:"Whose runtime it is; needed by those who are in several organizations"`
	}
}

type listRuntimes struct {
	Status string `query:"status" enum:",in_progress,completed,failed,removed,IN_PROGRESS,COMPLETED,FAILED,REMOVED" doc:"Only those in this status"`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"50"`
	Offset int    `query:"offset" minimum:"0" default:"0"`
}

// runtimeBody answers all generations of clients: command lines wait for
// "completed" and "failed" in lower case.
type runtimeBody struct {
	ID                id.ID            `json:"id"`
	Config            runtimeConfig    `json:"config"`
	ConfigHash        string           `json:"configHash" doc:"The digest of the image"`
	CreationStatus    string           `json:"creationStatus"`
	CreationStatusOld string           `json:"creation_status"`
	CreationLogs      []runtimeLogBody `json:"creationLogs,omitempty"`
	CreationLogsOld   []runtimeLogBody `json:"creation_logs,omitempty"`
	CreatedAt         timestamp        `json:"createdAt"`
	IsDefault         bool             `json:"isDefault" doc:"Always false: the default runtime is the server's own and is not listed"`
}

type runtimeConfig struct {
	ImageHash    string `json:"imageHash"`
	ImageHashOld string `json:"image_hash"`
}

type runtimeLogBody struct {
	Timestamp timestamp `json:"timestamp"`
	Level     string    `json:"level"`
	Message   string    `json:"message"`
}

type runtimeList struct {
	Results          []runtimeBody `json:"results" nullable:"false"`
	Total            int           `json:"total"`
	DefaultRuntimeID *id.ID        `json:"defaultRuntimeId" nullable:"true"`
}

func showRuntime(r runtimes.Runtime) runtimeBody {
	logs := make([]runtimeLogBody, len(r.Logs))
	for i, l := range r.Logs {
		logs[i] = runtimeLogBody{timestamp(l.Time), l.Level, l.Message}
	}
	return runtimeBody{
		ID: r.ID, Config: runtimeConfig{r.ImageHash, r.ImageHash}, ConfigHash: r.Digest,
		CreationStatus: string(r.Status), CreationStatusOld: string(r.Status), CreationLogs: logs, CreationLogsOld: logs,
		CreatedAt: timestamp(r.CreatedAt),
	}
}
