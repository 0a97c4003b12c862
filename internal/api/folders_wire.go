package api

import (
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// folderBody has its members in both spellings, for two generations of clients.
type folderBody struct {
	ID                id.ID     `json:"id"`
	Name              string    `json:"name"`
	NamespaceID       id.ID     `json:"namespaceId"`
	NamespaceIDOld    id.ID     `json:"namespace_id"`
	ParentFolderID    *id.ID    `json:"parentFolderId" nullable:"true" doc:"The folder that it is in; null at the root of its namespace"`
	ParentFolderIDOld *id.ID    `json:"parent_folder_id" nullable:"true"`
	CreatedByID       *id.ID    `json:"createdById" nullable:"true"`
	CreatedAt         timestamp `json:"createdAt"`
	UpdatedAt         timestamp `json:"updatedAt"`
}

type folderList struct {
	Results []folderBody `json:"results" nullable:"false"`
	Total   int          `json:"total"`
}

// folderPath has the folders under two names, for two generations of clients.
type folderPath struct {
	folderBody
	Path    []folderBody `json:"path" nullable:"false" doc:"From the root down to the folder itself"`
	Results []folderBody `json:"results" nullable:"false" doc:"The same as path"`
}

type createFolder struct {
	Body struct {
		Name           string           `json:"name" minLength:"1" doc:"Unique among the folders beside it"`
		NamespaceID    string           `json:"namespaceId" doc:"The namespace that the folder belongs to"`
		ParentFolderID optional[string] `json:"parentFolderId,omitempty" doc:"The folder that it is put into; absent or null for the root"`
	}
}

type changeFolder struct {
	Body struct {
		Name           optional[string] `json:"name,omitempty"`
		NamespaceID    optional[string] `json:"namespaceId,omitempty" doc:"Can't be changed"`
		ParentFolderID optional[string] `json:"parentFolderId,omitempty" doc:"The folder that it moves into; null for the root"`
	}
}

type listFolders struct {
	NamespaceID    string `query:"namespaceId" doc:"Only those of this namespace"`
	ParentFolderID string `query:"parentFolderId" doc:"Those in this folder; absent or the word null for those at the root"`
	Limit          int    `query:"limit" minimum:"1" maximum:"1000" default:"1000"`
	Offset         int    `query:"offset" minimum:"0" maximum:"1000000"`
}

type deletedFolder struct {
	deleted
	Moved movedOut `json:"moved" doc:"What was in the folder and is where the folder was"`
}

type movedOut struct {
	Folders   int `json:"folders"`
	Workflows int `json:"workflows"`
}

func showFolder(f workflow.Folder) folderBody {
	parent := idOrNull(f.ParentID())
	return folderBody{
		ID: f.ID, Name: f.Name, NamespaceID: f.NamespaceID, NamespaceIDOld: f.NamespaceID, ParentFolderID: parent, ParentFolderIDOld: parent,
		CreatedByID: idOrNull(f.CreatedByID), CreatedAt: timestamp(f.CreatedAt), UpdatedAt: timestamp(f.UpdatedAt),
	}
}
