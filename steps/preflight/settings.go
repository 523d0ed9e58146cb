package preflight

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/internal/lazyregexp"
)

// findSettings sets SettingsModule and SettingsFile: what the user named, what
// manage.py assigns, the environment, the default that manage.py gives, or what the
// other files that start Django say. It returns the settings' sources, those that are
// imported first in front.
func findSettings(run *steps.Run, p *steps.Project) []source {
	manage := newSource(p.ManagePy)
	beside := besideManage(p.Root, manage)
	starts := append([]source{manage}, beside...)
	p.SettingsModule = run.Options.Settings
	if p.SettingsModule == "" {
		p.SettingsModule = namedModule(p.Root, starts, settingsSet)
	}
	if v, ok := run.LookupEnv("DJANGO_SETTINGS_MODULE"); p.SettingsModule == "" && ok {
		p.SettingsModule = v
	}
	if p.SettingsModule == "" {
		p.SettingsModule = namedModule(p.Root, starts, settingsCall)
	}
	if p.SettingsModule == "" {
		p.SettingsModule = namedElsewhere(p)
	}
	p.SettingsFile = moduleFile(p.Root, p.SettingsModule)
	if filepath.Base(p.SettingsFile) == "__init__.py" && strings.TrimSpace(newSource(p.SettingsFile).text) == "" {
		// What starts the backend names one of the modules in it.
		if module := filledIn(p.Root, p.SettingsModule+".{}"); module != "" {
			p.SettingsModule, p.SettingsFile = module, moduleFile(p.Root, module)
		}
	}
	t := follower{root: p.Root, seen: map[string]bool{}}
	if p.SettingsFile != "" {
		t.root = sourceRoot(p.SettingsFile, p.SettingsModule)
		t.follow(p.SettingsFile)
	}
	for i, s := range t.found {
		if a := run.Adopted; a != nil && s.path == a.File {
			t.found[i].text = withoutComments(string(a.Is))
		}
	}
	p.Names = run.Options.Names.Or(namesIn(t.found)).Or(steps.GuideNames)
	// Some projects load their .env in manage.py, before the settings.
	return append(t.found, starts...)
}

var (
	// What stands behind the name of the variable, up to the end of the call or line.
	settingsCall = lazyregexp.New(`setdefault\(\s*(?:key\s*=\s*)?['"]DJANGO_SETTINGS_MODULE['"]\s*,\s*((?:[^()\n]|\([^()]*\))*)`)
	settingsSet  = lazyregexp.New(`\[\s*['"]DJANGO_SETTINGS_MODULE['"]\s*\]\s*=\s*([^\n]*)`)
	assigned     = lazyregexp.New(`(?m)^[ \t]*(\w+)[ \t]*(?::[^=\n]*)?=[ \t]*([^=\n][^\n]*)$`)
	moduleText   = lazyregexp.New(`['"]([A-Za-z_][\w{}%.-]*)['"]`)
	moduleName   = lazyregexp.New(`^[A-Za-z_][\w-]*(?:\.[\w-]+)*$`) // importlib takes a hyphen
)

// ofTests are settings for tests alone.
var ofTests = lazyregexp.New(`(?:^|[._])(?:tests?|testing)(?:[._]|$)`)

// namedModule is the settings module that sources name where an expression finds it: a
// literal; one of several, of which the first that is there counts, and those of tests
// last; a variable that is assigned one; or a text that is filled in with the name of an
// environment.
func namedModule(root string, sources []source, where *lazyregexp.Regexp) string {
	first, tests := "", ""
	for _, s := range sources {
		for _, m := range where.FindAllStringSubmatch(s.text, -1) {
			named := append([]string{m[1]}, valuesOf(s.text, m[1])...)
			for _, text := range named {
				for _, l := range moduleText.FindAllStringSubmatch(text, -1) {
					switch module := filledIn(root, l[1]); {
					case module != "" && ofTests.MatchString(module):
						tests = cmp.Or(tests, module)
					case module != "":
						return module
					}
					if first == "" && moduleName.MatchString(l[1]) && (strings.Contains(l[1], ".") || strings.TrimSpace(m[1]) == l[0]) {
						first = l[1]
					}
				}
			}
		}
	}
	return cmp.Or(tests, first)
}

// valuesOf are what a source assigns to the names in an expression.
func valuesOf(text, expression string) (values []string) {
	names := word.FindAllString(literal.ReplaceAllString(expression, ""), -1)
	for _, a := range assigned.FindAllStringSubmatch(text, -1) {
		if slices.Contains(names, a[1]) {
			values = append(values, a[2])
		}
	}
	return values
}

// environments are the modules of development, as settings packages have them.
var environments = []string{"local", "dev", "development", "develop", "base", "common", "defaults", "settings"}

// filledIn is a module that is there: of that name, or, where a part of the name is
// filled in when Django starts, that of development.
func filledIn(root, text string) string {
	if moduleName.MatchString(text) {
		if moduleFile(root, text) != "" {
			return text
		}
		return ""
	}
	at := strings.IndexAny(text, "{%")
	if at <= 0 || !moduleName.MatchString(strings.TrimSuffix(text[:at], ".")) {
		return ""
	}
	for _, name := range environments {
		if module := text[:at] + name; moduleFile(root, module) != "" {
			return module
		}
	}
	return ""
}

var (
	iniSettings  = lazyregexp.New(`(?m)^[ \t]*["']?(?:DJANGO_SETTINGS_MODULE|django_settings_module)["']?[ \t]*[:=][ \t]*["']?([\w.-]+)`)
	testSettings = lazyregexp.New(`--ds[= ]([\w.-]+)`)
)

// namedElsewhere is the settings module by the other files that start Django: wsgi.py
// and asgi.py, then what tests and tools are told. Where these are settings for tests
// alone, those of development beside them count. "" where none says so.
func namedElsewhere(p *steps.Project) string {
	var entries []source
	for _, dir := range packageFolders(p.Root) {
		for _, name := range []string{"wsgi.py", "asgi.py", "celery.py"} {
			if s := newSource(filepath.Join(dir, name)); s.text != "" {
				entries = append(entries, s)
			}
		}
	}
	for _, where := range []*lazyregexp.Regexp{settingsSet, settingsCall} {
		if module := namedModule(p.Root, entries, where); module != "" {
			return module
		}
	}
	tests := ""
	for _, dir := range upward(p.Root, p.TopLevel) {
		for _, name := range []string{"pyproject.toml", "pytest.ini", ".pytest.ini", "tox.ini", "setup.cfg"} {
			text := string(readSome(filepath.Join(dir, name)))
			for _, where := range []*lazyregexp.Regexp{iniSettings, testSettings} {
				for _, m := range where.FindAllStringSubmatch(text, -1) {
					switch {
					case moduleFile(p.Root, m[1]) == "":
					case ofTests.MatchString(m[1]):
						tests = cmp.Or(tests, m[1])
					default:
						return m[1]
					}
				}
			}
		}
	}
	if at := strings.LastIndexByte(tests, '.'); at > 0 {
		return cmp.Or(filledIn(p.Root, tests[:at+1]+"{}"), tests)
	}
	return tests
}

// packageFolders are a folder, its src and the folders in both.
func packageFolders(root string) (dirs []string) {
	for _, dir := range []string{root, filepath.Join(root, "src")} {
		dirs = append(dirs, dir)
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, e := range entries {
			if e.IsDir() && !strings.HasPrefix(e.Name(), ".") && !isAside(e.Name()) {
				dirs = append(dirs, filepath.Join(dir, e.Name()))
			}
		}
	}
	return dirs
}

// moduleFile is the source file of a module, "" when it is not found. manage.py may
// put any folder in front of Python's path; the folders of a project are tried.
func moduleFile(root, module string) string {
	if !moduleName.MatchString(module) {
		return ""
	}
	rel := filepath.FromSlash(strings.ReplaceAll(module, ".", "/"))
	near := []string{root, filepath.Join(root, "src"), filepath.Dir(root), filepath.Join(filepath.Dir(root), "src")}
	for _, dir := range append(near, packageFolders(root)...) {
		if f := fileOf(filepath.Join(dir, rel)); f != "" {
			return f
		}
	}
	return ""
}

// sourceRoot is the folder that a module's name counts from.
func sourceRoot(file, module string) string {
	if filepath.Base(file) == "__init__.py" {
		file = filepath.Dir(file)
	}
	for range strings.Count(module, ".") + 1 {
		file = filepath.Dir(file)
	}
	return file
}
