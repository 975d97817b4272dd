// dashboards: reads dashboards as Grafana's own Go SDK does, strictly.
//
//	dashboards FILE...
//
// An unknown field, a wrong type, a missing one, or an option that a panel or a query does not have
// is told with its place, one line each; exit 1 if there was any. Queries are read by the type of
// their own datasource: one that does not name it would pass unread, and is refused.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

func main() {
	plugins.RegisterDefaultPlugins()
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "dashboards:", err)
		os.Exit(1)
	}
}

func run(names []string, out io.Writer) error {
	if len(names) == 0 {
		return errors.New("usage: dashboards FILE...")
	}
	wrong := 0
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		problems := check(raw)
		for _, problem := range problems {
			fmt.Fprintf(out, "%s: %s\n", name, problem)
		}
		if len(problems) > 0 {
			wrong++
		} else {
			fmt.Fprintf(out, "%s: well formed\n", name)
		}
	}
	if wrong > 0 {
		return fmt.Errorf("%d of %d are not well formed", wrong, len(names))
	}
	return nil
}

// check returns what is wrong with one document.
func check(raw []byte) []string {
	plain, problems := withoutTexts(raw)
	if len(problems) > 0 {
		return problems
	}
	var board dashboard.Dashboard
	if err := board.UnmarshalJSONStrict(plain); err != nil {
		return told(err)
	}
	problems = unread(raw)
	if err := board.Validate(); err != nil {
		problems = append(problems, told(err)...)
	}
	return problems
}

// told takes an error of the SDK apart: it joins all that it found.
func told(err error) []string {
	var errs cog.BuildErrors
	if !errors.As(err, &errs) {
		return []string{err.Error()}
	}
	var problems []string
	for _, one := range errs {
		problems = append(problems, one.Error())
	}
	return problems
}

// texts are the fields of an annotation that Prometheus's datasource reads and the schema leaves out:
// an example of each's type.
var texts = map[string]any{
	"titleFormat": "", "textFormat": "", "tagKeys": "", "step": "", "useValueForTime": false,
}

// withoutTexts checks the types of those fields and takes them out: what is left is the schema's.
func withoutTexts(raw []byte) ([]byte, []string) {
	var board map[string]any
	if err := json.Unmarshal(raw, &board); err != nil {
		return nil, []string{err.Error()}
	}
	var problems []string
	container, _ := board["annotations"].(map[string]any)
	list, _ := container["list"].([]any)
	for place, one := range list {
		annotation, _ := one.(map[string]any)
		for name, example := range texts {
			value, there := annotation[name]
			if there && fmt.Sprintf("%T", value) != fmt.Sprintf("%T", example) {
				problems = append(problems, fmt.Sprintf("annotations.list[%d].%s: %T where %T belongs",
					place, name, value, example))
			}
			delete(annotation, name)
		}
	}
	plain, err := json.Marshal(board)
	if err != nil {
		problems = append(problems, err.Error())
	}
	return plain, problems
}

// panel is what unread needs of one.
type panel struct {
	Title   string  `json:"title"`
	Panels  []panel `json:"panels"`
	Targets []struct {
		RefID      string `json:"refId"`
		Datasource struct {
			Type string `json:"type"`
			UID  string `json:"uid"`
		} `json:"datasource"`
	} `json:"targets"`
}

// unread names the targets that the SDK kept as they were, for want of a datasource's type.
func unread(raw []byte) []string {
	var board panel
	if err := json.Unmarshal(raw, &board); err != nil {
		return []string{err.Error()}
	}
	var problems []string
	var walk func(panels []panel)
	walk = func(panels []panel) {
		for _, one := range panels {
			for _, target := range one.Targets {
				if target.Datasource.Type == "" || target.Datasource.UID == "" {
					problems = append(problems, fmt.Sprintf(
						"panel %q: target %s has no datasource of its own", one.Title, target.RefID))
				}
			}
			walk(one.Panels)
		}
	}
	walk(board.Panels)
	return problems
}
