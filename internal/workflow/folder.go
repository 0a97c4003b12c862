package workflow

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
)

// Bounds of folders.
const (
	// MaxFolderDepth is how many folders are inside each other.
	MaxFolderDepth = 10
	// MaxFolders is how many a namespace has.
	MaxFolders = 1000
)

// Folder holds workflows and folders of one namespace. A role that is granted on
// it counts for all that is inside.
type Folder struct {
	ID             id.ID
	OrganizationID id.ID
	NamespaceID    id.ID
	// Name is unique among the folders beside it.
	Name string
	// Folders are those around it, the nearest first.
	Folders     []id.ID
	CreatedByID id.ID
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// ParentID is the folder that it is in; zero at the root of the namespace.
func (f Folder) ParentID() id.ID { return first(f.Folders) }

// Inside are the folders around what is in f: f itself first.
func (f Folder) Inside() []id.ID { return append([]id.ID{f.ID}, f.Folders...) }

func first(folders []id.ID) id.ID {
	if len(folders) == 0 {
		return id.ID{}
	}
	return folders[0]
}

// Move takes a workflow or a folder from one place of its namespace to another.
// Both places are given as the folders around them, the nearest first, as they
// were when it was decided whether the move is allowed.
type Move struct {
	From, To []id.ID
	// MayGrant says that whoever moves it may give others roles on it, too. It is
	// needed where roles are granted on the folders that it leaves or enters:
	// moving it changes then who may do what to it.
	MayGrant bool
}

// FolderID is the folder that it goes to; zero for the root of the namespace.
func (m Move) FolderID() id.ID { return first(m.To) }

// Between are the folders that are around one of the two places alone.
func (m Move) Between() []id.ID {
	var all []id.ID
	for _, x := range m.From {
		if !slices.Contains(m.To, x) {
			all = append(all, x)
		}
	}
	for _, x := range m.To {
		if !slices.Contains(m.From, x) {
			all = append(all, x)
		}
	}
	return all
}

// FolderChange is a partial update of a folder; nil members stay as they are.
type FolderChange struct {
	Name *string
	Move *Move
}

// FolderFilter selects a page of folders that are directly in one place.
type FolderFilter struct {
	// Organizations bounds what can be seen.
	Organizations []id.ID
	// NamespaceID restricts to one namespace when not zero.
	NamespaceID id.ID
	// ParentID is the folder whose folders are listed; zero for the roots of
	// namespaces. Deep lists all, however deep, and takes no ParentID.
	ParentID id.ID
	Deep     bool
	// Search is a case-insensitive part of the name of folders wherever they are;
	// empty for those of ParentID.
	Search        string
	Limit, Offset int
}

// FolderPage is one page of folders and the number there are on all pages.
type FolderPage struct {
	Folders []Folder
	Total   int
}

// FolderRemoval takes a folder away. What is in it goes to where the folder is.
type FolderRemoval struct {
	// Around are the folders around it, as they were when the rest was decided.
	Around []id.ID
	// MayFill says that whoever removes it may put folders and workflows where it
	// is, and MayGrant that he may give others roles on it. Both count when
	// something is in it.
	MayFill, MayGrant bool
}

// Emptied says what a removed folder had in it, which is beside it now.
type Emptied struct{ Folders, Workflows int }

// FolderStore keeps folders. Each method is one atomic unit.
type FolderStore interface {
	// CreateFolder stores a folder. fault.Conflict when one of its name is beside
	// it; fault.Limited when the namespace has MaxFolders or it would be too deep;
	// fault.NotFound when the namespace or the folder around it is gone.
	CreateFolder(ctx context.Context, f Folder) error
	// Folder returns a folder that one of the organizations owns; fault.NotFound
	// otherwise.
	Folder(ctx context.Context, organizations []id.ID, folder id.ID) (Folder, error)
	// Folders returns a page, by name.
	Folders(ctx context.Context, filter FolderFilter) (FolderPage, error)
	// FoldersByID returns those of the folders that an organization owns, in the
	// order of the ids that were given.
	FoldersByID(ctx context.Context, organization id.ID, folders []id.ID) ([]Folder, error)
	// ChangeFolder applies a partial update and returns the result. In addition to
	// the failures of CreateFolder: fault.Invalid when it would be inside itself,
	// fault.Conflict when a place is no longer what was decided about, and
	// fault.Denied when the move changes what others may do.
	ChangeFolder(ctx context.Context, folder id.ID, change FolderChange, at time.Time) (Folder, error)
	// DeleteFolder removes a folder, the roles granted on it, and nothing else.
	// fault.Conflict when a folder that is in it has the name of one beside it, or
	// the place is no longer what was decided about; fault.Denied when what is in
	// it may not be moved; fault.NotFound when it is gone already.
	DeleteFolder(ctx context.Context, folder id.ID, r FolderRemoval, at time.Time) (Emptied, error)
}

// Folders creates, changes and deletes folders.
type Folders struct {
	Store FolderStore
	IDs   *id.Source
	Now   func() time.Time
}

// Create stores a new folder.
func (s *Folders) Create(ctx context.Context, f Folder) (Folder, error) {
	f.Name = strings.TrimSpace(f.Name)
	if err := checkName(f.Name); err != nil {
		return Folder{}, err
	}
	f.ID, f.CreatedAt = s.IDs.New(), s.Now()
	f.UpdatedAt = f.CreatedAt
	return f, s.Store.CreateFolder(ctx, f)
}

// Folder returns a folder of one of the organizations.
func (s *Folders) Folder(ctx context.Context, organizations []id.ID, folder id.ID) (Folder, error) {
	return s.Store.Folder(ctx, organizations, folder)
}

// List returns a page of folders.
func (s *Folders) List(ctx context.Context, filter FolderFilter) (FolderPage, error) {
	return s.Store.Folders(ctx, filter)
}

// Path returns a folder and those around it, the outermost first.
func (s *Folders) Path(ctx context.Context, f Folder) ([]Folder, error) {
	down := f.Inside()
	slices.Reverse(down)
	return s.Store.FoldersByID(ctx, f.OrganizationID, down)
}

// Update applies a partial update. The texts are those of 1.2 of
// workflows-runtime.md of the wire contract.
func (s *Folders) Update(ctx context.Context, f Folder, c FolderChange) (Folder, error) {
	if c.Name != nil {
		name := strings.TrimSpace(*c.Name)
		if err := checkName(name); err != nil {
			return Folder{}, err
		}
		c.Name = &name
	}
	switch {
	case c.Move == nil:
	case first(c.Move.To) == f.ID:
		return Folder{}, fault.New(fault.Invalid, "Cannot move folder to itself")
	case slices.Contains(c.Move.To, f.ID):
		return Folder{}, fault.New(fault.Invalid, "Cannot move folder into its own descendant")
	}
	return s.Store.ChangeFolder(ctx, f.ID, c, s.Now())
}

// Delete removes a folder; what is in it goes to where the folder is.
func (s *Folders) Delete(ctx context.Context, f Folder, r FolderRemoval) (Emptied, error) {
	return s.Store.DeleteFolder(ctx, f.ID, r, s.Now())
}
