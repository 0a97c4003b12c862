package admin

import (
	"net/http"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/records"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/web/ui"
)

const (
	jobsPath = adminPath + "/jobs"
	// shownJobs is how many of a sort are listed.
	shownJobs = 25
)

type jobsView struct{ Sorts []jobSort }

// none are the sorts that there are no jobs of.
func (v jobsView) none() []jobSort {
	var all []jobSort
	for _, s := range v.Sorts {
		if len(s.Jobs) == 0 {
			all = append(all, s)
		}
	}
	return all
}

// jobSort are jobs that are listed together.
type jobSort struct {
	ID, Title, None string
	Jobs            []records.Job
	More            bool
	// Count names what Job.Tries counts.
	Count string
	// Deeds are what can be done about each.
	Deeds []jobDeed
	// longest is after how long one is too long under way; 0 for never.
	longest time.Duration
	now     time.Time
}

// jobDeed is what can be done about a job: Act stands in the address, and About says
// what it does.
type jobDeed struct {
	Act, Label, About string
	Danger            bool
}

// Long reports whether a job goes on for longer than it may.
func (s jobSort) Long(j records.Job) bool {
	return s.longest > 0 && !j.Since.IsZero() && s.now.Sub(j.Since) > s.longest
}

// lowered is a label inside of a sentence.
func lowered(label string) string { return strings.ToLower(label[:1]) + label[1:] }

func (d Deps) getJobs(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
	all, err := d.Records.Jobs(r.Context(), shownJobs+1)
	if err != nil {
		return err
	}
	const (
		ends  = "It ends where it is, and is not run again."
		drops = "It ends as cancelled and does not run. Its event stays, and can be replayed by its organization."
	)
	v := jobsView{Sorts: []jobSort{
		{ID: "running", Title: "Runs under way", None: "Nothing runs now.", Jobs: all.Running, Count: "attempt", Deeds: []jobDeed{{"cancel", "Cancel", ends, true}}, longest: d.MaxRun},
		{ID: "waiting", Title: "Waiting for their turn, the first of each trigger", None: "Nothing waits.", Jobs: all.Waiting, Count: "attempts so far:", Deeds: []jobDeed{{"cancel", "Discard", drops, true}}},
		{ID: "postponed", Title: "Waiting for a time", None: "Nothing is to be tried again later.", Jobs: all.Postponed, Count: "attempts so far:", Deeds: []jobDeed{{"release", "Run now", "It takes its turn now, instead of at its time.", false}, {"cancel", "Discard", drops, true}}},
		{ID: "batches", Title: "Replays and cancels of many", None: "None is under way.", Jobs: all.Batches, Count: "reached:", Deeds: []jobDeed{{"stop", "Stop", "What it did stays done; the rest is left.", true}}},
		{ID: "runtimes", Title: "Images that are made ready", None: "None is under way.", Jobs: all.Runtimes, Count: "try", Deeds: []jobDeed{{"remove", "Remove", "Its image goes at the next sweep, unless a deployment runs in it.", true}}},
		{ID: "notices", Title: "Failures that somebody is to be told of", None: "Everybody was told.", Jobs: all.Notices, Count: "try"},
	}}
	for i := range v.Sorts {
		s := &v.Sorts[i]
		s.now = d.Now()
		if s.More = len(s.Jobs) > shownJobs; s.More {
			s.Jobs = s.Jobs[:shownJobs]
		}
	}
	return ui.Show(w, r, http.StatusOK, d.frame("Jobs", c.Principal), jobsPage(v))
}
