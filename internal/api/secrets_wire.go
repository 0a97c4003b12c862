package api

import (
	"net/http"

	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/secret"
)

// secretBody has its keys in both casings: clients of two generations read it.
type secretBody struct {
	ID             id.ID     `json:"id"`
	NamespaceID    id.ID     `json:"namespaceId"`
	NamespaceIDOld id.ID     `json:"namespace_id"`
	Name           string    `json:"name"`
	Provider       string    `json:"provider"`
	CreatedAt      timestamp `json:"createdAt"`
	CreatedAtOld   timestamp `json:"created_at"`
	UpdatedAt      timestamp `json:"updatedAt"`
	UpdatedAtOld   timestamp `json:"updated_at"`
	// Value is the mask, or an object with the mask in each field.
	Value *string `json:"value,omitempty" doc:"Which fields there are; what is in them is never shown"`
}

func showSecret(s secret.Secret) secretBody {
	return secretBody{
		ID: s.ID, NamespaceID: s.NamespaceID, NamespaceIDOld: s.NamespaceID, Name: s.Name, Provider: s.Provider,
		CreatedAt: timestamp(s.CreatedAt), CreatedAtOld: timestamp(s.CreatedAt), UpdatedAt: timestamp(s.UpdatedAt), UpdatedAtOld: timestamp(s.UpdatedAt),
	}
}

// storedSecret answers a secret that was stored.
type storedSecret struct {
	secretBody
	Updated bool `json:"updated"`
}

// AnswerStatus tells a new secret from one that was there.
func (s *storedSecret) AnswerStatus() int {
	if s.Updated {
		return http.StatusOK
	}
	return http.StatusCreated
}

type secretList struct {
	Results []secretBody `json:"results" nullable:"false"`
}

// nothing is the answer without a body.
type nothing struct{}

type listSecrets struct {
	NamespaceID string `query:"namespaceId" required:"true"`
	Provider    string `query:"provider" doc:"Only those of this provider"`
	Name        string `query:"name" doc:"Only those of this name"`
}

type namespaceSecrets struct {
	Provider string `query:"provider"`
	Name     string `query:"name"`
}

type createSecret struct {
	Body struct {
		NamespaceID string `json:"namespaceId"`
		Name        string `json:"name" doc:"The alias that code asks with, such as default"`
		Provider    string `json:"provider,omitempty" doc:"The first argument of Secret in code; custom when absent"`
		Value       string `json:"value" doc:"A JSON object of fields, or a text"`
	}
}

type changeSecret struct {
	Body struct {
		Provider *string `json:"provider,omitempty"`
		Value    *string `json:"value,omitempty"`
	}
}
