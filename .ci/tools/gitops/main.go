// gitops: what Argo CD makes of our files, by the engines that it uses itself, as JSON for the tests.
//
//	gitops applications ROOT FILE   the Applications of the ApplicationSet on stdin: of the cluster Secrets in FILE (a JSON
//	                                list) and of the files in the work tree ROOT
//	gitops health SCRIPT            what the health check in the file SCRIPT says of the object on stdin
//
// Templates are rendered by text/template with sprig, and each string of the Application alone, as Argo CD does it
// (applicationset/utils); health checks run in gopher-lua without its libraries of files and processes. Only what our
// ApplicationSet uses is known: anything else in it is an error, exit 1, and nothing is passed over. The list's elements are
// taken as they are written.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"text/template"

	"github.com/Masterminds/sprig/v3"
	lua "github.com/yuin/gopher-lua"
	"sigs.k8s.io/yaml"
)

type requirement struct {
	Key      string   `json:"key"`
	Operator string   `json:"operator"`
	Values   []string `json:"values"`
}

type clusters struct {
	Selector struct {
		MatchExpressions []requirement `json:"matchExpressions"`
	} `json:"selector"`
}

type git struct {
	RepoURL        string                  `json:"repoURL"`
	Revision       string                  `json:"revision"`
	RequeueSeconds int                     `json:"requeueAfterSeconds"`
	Files          []struct{ Path string } `json:"files"`
}

type list struct {
	Elements []map[string]any `json:"elements"`
}

type matrix struct {
	Generators []generator `json:"generators"`
}

type generator struct {
	Clusters *clusters `json:"clusters,omitempty"`
	Git      *git      `json:"git,omitempty"`
	List     *list     `json:"list,omitempty"`
	Matrix   *matrix   `json:"matrix,omitempty"`
}

type set struct {
	APIVersion string         `json:"apiVersion"`
	Kind       string         `json:"kind"`
	Metadata   map[string]any `json:"metadata"`
	Spec       struct {
		GoTemplate        bool           `json:"goTemplate"`
		GoTemplateOptions []string       `json:"goTemplateOptions"`
		SyncPolicy        map[string]any `json:"syncPolicy"`
		Template          map[string]any `json:"template"`
		Generators        []generator    `json:"generators"`
	} `json:"spec"`
}

type secret struct {
	Metadata struct {
		Labels      map[string]string `json:"labels"`
		Annotations map[string]string `json:"annotations"`
	} `json:"metadata"`
	StringData map[string]string `json:"stringData"`
}

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "gitops:", err)
		os.Exit(1)
	}
}

func run(arguments []string, in io.Reader, out io.Writer) error {
	text, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	var result any
	switch {
	case len(arguments) == 3 && arguments[0] == "applications":
		result, err = applications(text, arguments[1], arguments[2])
	case len(arguments) == 2 && arguments[0] == "health":
		result, err = health(text, arguments[1])
	default:
		err = errors.New("usage: gitops applications ROOT FILE, gitops health SCRIPT")
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(result)
}

// What generators know besides what they say themselves.
type world struct {
	root    string
	secrets []secret
	options []string
}

func applications(text []byte, root, file string) ([]any, error) {
	var wanted set
	if err := yaml.UnmarshalStrict(text, &wanted); err != nil {
		return nil, err
	}
	if !wanted.Spec.GoTemplate || len(wanted.Spec.Generators) != 1 {
		return nil, errors.New("known is one generator, with goTemplate")
	}
	listed, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	there := world{root: root, options: wanted.Spec.GoTemplateOptions}
	if err := json.Unmarshal(listed, &there.secrets); err != nil {
		return nil, err
	}
	found, err := wanted.Spec.Generators[0].parameters(map[string]any{}, there)
	if err != nil {
		return nil, err
	}
	made := []any{}
	for _, parameters := range found {
		rendered, err := deep(wanted.Spec.Template, parameters, there.options)
		if err != nil {
			return nil, err
		}
		made = append(made, rendered)
	}
	return made, nil
}

// The sets of parameters that a generator gives; it may be written with those that came before.
func (one generator) parameters(before map[string]any, there world) ([]map[string]any, error) {
	switch {
	case one == generator{Matrix: one.Matrix} && one.Matrix != nil:
		return product(*one.Matrix, before, there)
	case one == generator{Clusters: one.Clusters} && one.Clusters != nil:
		return clustersOf(*one.Clusters, there.secrets)
	case one == generator{Git: one.Git} && one.Git != nil:
		return filesOf(*one.Git, before, there.root, there.options)
	case one == generator{List: one.List} && one.List != nil:
		return one.List.Elements, nil
	}
	return nil, errors.New("known are a matrix, clusters, git and a list, one at a time")
}

// Each set of the first with each of the second; of a key that both have, the first's value counts.
func product(of matrix, before map[string]any, there world) ([]map[string]any, error) {
	if len(of.Generators) != 2 {
		return nil, errors.New("a matrix has two generators")
	}
	made := []map[string]any{}
	firsts, err := of.Generators[0].parameters(before, there)
	if err != nil {
		return nil, err
	}
	for _, first := range firsts {
		seconds, err := of.Generators[1].parameters(first, there)
		if err != nil {
			return nil, err
		}
		for _, second := range seconds {
			both := maps.Clone(second)
			maps.Copy(both, first)
			made = append(made, both)
		}
	}
	return made, nil
}

func clustersOf(from clusters, secrets []secret) ([]map[string]any, error) {
	found := []map[string]any{}
	for _, one := range secrets {
		selected, err := matches(one.Metadata.Labels, from.Selector.MatchExpressions)
		if err != nil {
			return nil, err
		}
		if selected {
			found = append(found, map[string]any{
				"name": one.StringData["name"], "server": one.StringData["server"],
				"metadata": map[string]any{"labels": one.Metadata.Labels, "annotations": one.Metadata.Annotations},
			})
		}
	}
	return found, nil
}

func matches(labels map[string]string, expressions []requirement) (bool, error) {
	if len(expressions) == 0 {
		return false, errors.New("a selector without an expression takes every cluster")
	}
	for _, one := range expressions {
		if one.Operator != "In" {
			return false, fmt.Errorf("operator %q: known is In", one.Operator)
		}
		if value, there := labels[one.Key]; !there || !slices.Contains(one.Values, value) {
			return false, nil
		}
	}
	return true, nil
}

// What the git generator gives: the content of each file.
func filesOf(from git, parameters map[string]any, root string, options []string) ([]map[string]any, error) {
	for _, text := range []string{from.RepoURL, from.Revision} {
		if _, err := render(text, parameters, options); err != nil {
			return nil, err
		}
	}
	found := []map[string]any{}
	for _, file := range from.Files {
		pattern, err := render(file.Path, parameters, options)
		if err != nil {
			return nil, err
		}
		paths, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			return nil, err
		}
		sort.Strings(paths)
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			content := map[string]any{}
			if err := yaml.Unmarshal(text, &content); err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			found = append(found, content)
		}
	}
	return found, nil
}

// Every string in it rendered, keys too.
func deep(value any, parameters map[string]any, options []string) (any, error) {
	switch value := value.(type) {
	case string:
		return render(value, parameters, options)
	case map[string]any:
		made := map[string]any{}
		for key, each := range value {
			name, err := render(key, parameters, options)
			if err != nil {
				return nil, err
			}
			if made[name], err = deep(each, parameters, options); err != nil {
				return nil, err
			}
		}
		return made, nil
	case []any:
		made := make([]any, len(value))
		for i, each := range value {
			var err error
			if made[i], err = deep(each, parameters, options); err != nil {
				return nil, err
			}
		}
		return made, nil
	}
	return value, nil
}

func render(text string, parameters map[string]any, options []string) (string, error) {
	functions := sprig.GenericFuncMap()
	for _, name := range []string{"env", "expandenv", "getHostByName"} {
		delete(functions, name)
	}
	parsed, err := template.New("").Funcs(functions).Parse(text)
	if err != nil {
		return "", fmt.Errorf("%s: %w", text, err)
	}
	var made bytes.Buffer
	if err := parsed.Option(options...).Execute(&made, parameters); err != nil {
		return "", fmt.Errorf("%s: %w", text, err)
	}
	return made.String(), nil
}

func health(text []byte, file string) (any, error) {
	script, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var object any
	if err := yaml.Unmarshal(text, &object); err != nil {
		return nil, err
	}
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for name, open := range map[string]lua.LGFunction{lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable,
		lua.StringLibName: lua.OpenString} {
		if err := state.CallByParam(lua.P{Fn: state.NewFunction(open), Protect: true}, lua.LString(name)); err != nil {
			return nil, err
		}
	}
	state.SetGlobal("obj", table(state, object))
	if err := state.DoString(string(script)); err != nil {
		return nil, err
	}
	said, is := state.Get(-1).(*lua.LTable)
	if !is {
		return nil, errors.New("the script returns no table")
	}
	return map[string]string{"status": said.RawGetString("status").String(),
		"message": said.RawGetString("message").String()}, nil
}

func table(state *lua.LState, value any) lua.LValue {
	switch value := value.(type) {
	case string:
		return lua.LString(value)
	case float64:
		return lua.LNumber(value)
	case bool:
		return lua.LBool(value)
	case []any:
		made := state.NewTable()
		for _, each := range value {
			made.Append(table(state, each))
		}
		return made
	case map[string]any:
		made := state.NewTable()
		for key, each := range value {
			made.RawSetString(key, table(state, each))
		}
		return made
	}
	return lua.LNil
}
