package repo

import (
	"path"
	"strings"

	"dj/keysplit/steps/internal/lazyregexp"
)

// grammar is how a file gives a variable a value.
type grammar int

const (
	ofScript   grammar = iota // a shell's, in files and in texts of YAML
	ofSettings                // of INI, TOML, JSON, Make, Terraform, Docker: with those of a script in them
	ofPython                  // of tests and tasks, which set the environment of a process
	ofSample                  // of variables, to be copied
	ofDocument                // that tells a person how to
)

// grammarOf is the grammar of a file that is not parsed.
func grammarOf(pipeline bool, file string, data []byte) grammar {
	ext := strings.ToLower(path.Ext(file))
	switch {
	case IsSample(file):
		return ofSample
	case !pipeline:
		return ofDocument
	case ext == ".py":
		return ofPython
	case ext == ".sh" || ext == ".bash" || ext == ".zsh" || ext == "" && isScript(data):
		return ofScript
	}
	return ofSettings
}

// isScript reports whether a file begins as a shell's script does.
func isScript(data []byte) bool { return shebang.Match(data) }

var shebang = lazyregexp.New(`^#!.*\b(?:ba|da|z|k|a)?sh\b`)

// settingPatterns are the patterns of what sets SECRET_KEY.
type settingPatterns struct {
	assigned   *lazyregexp.Regexp // SECRET_KEY=x, where a shell or a list of variables has it
	replaced   *lazyregexp.Regexp // sed's way to do that
	spaced     *lazyregexp.Regexp // SECRET_KEY = x, which is none of the shell's: in a file that a script writes
	message    *lazyregexp.Regexp // what a script prints for people
	looped     *lazyregexp.Regexp // for name in SECRET_KEY OTHER, where the script exports each
	passed     *lazyregexp.Regexp // -e SECRET_KEY, export SECRET_KEY, ENV SECRET_KEY x
	configured *lazyregexp.Regexp // SECRET_KEY = x or SECRET_KEY: x in a file of settings
	inPython   *lazyregexp.Regexp // os.environ["SECRET_KEY"] = x
	inList     *lazyregexp.Regexp // "SECRET_KEY=x", as gunicorn's raw_env has it
	inMapping  *lazyregexp.Regexp // "SECRET_KEY": x, of what is an environment
	inJSON     *lazyregexp.Regexp // the same, in a text
	sampled    *lazyregexp.Regexp // SECRET_KEY=x in a file to be copied, also behind a comment sign
	asked      *lazyregexp.Regexp // a command that looks for it
	listed     *lazyregexp.Regexp // a row, an item or a definition of a document
	told       *lazyregexp.Regexp // a sentence of a document
	required   *lazyregexp.Regexp // the same, the other way round
	shown      *lazyregexp.Regexp // an assignment that a document shows
}

// settingsOf makes the patterns; SECRET_KEY stands for the name.
func settingsOf(pattern func(string) *lazyregexp.Regexp) settingPatterns {
	return settingPatterns{
		assigned: pattern("(?:^|[\\s\"'`;&|(=,:{\\[>]|\\\\n)SECRET_KEY=((?:[^=~\\s][^\\s]*)?)(?:\\s|$)|\\$\\{SECRET_KEY:?=()"),
		replaced: pattern(`\bsed\b.*[/|#,@]\^?SECRET_KEY=.*[/|#,@]["']?SECRET_KEY=`),
		spaced:   pattern(`^SECRET_KEY\s+=\s+[^"'\s()]+$|\b(?:echo|printf)\b[^|;&>]*\bSECRET_KEY\s+=\s[^>|]*(?:>>?|\|\s*tee\b(?:\s+-a)?)\s*["']?\S*(?i:env\b)`),
		message:  pattern(`\b(?:echo|printf|error|warn(?:ing)?|info|die|fail|fatal|abort|usage)\s+(?:-\w+\s+)?["'][^"'=]*\w[:,]?\s+SECRET_KEY=[^"']*["']`),
		looped:   pattern(`\bfor\s+\w+\s+in\b[^;]*\bSECRET_KEY\b`),
		passed: pattern(`(?:^|[;&|]\s*)(?:file_env|\w*(?:load|read|export|get|set|fetch|import|expand|update|write|append|replace)_?\w*_(?:secret|env|var|file|value)s?)\s+["']?SECRET_KEY\b|` +
			`(?i:(?:^|\s)(?:-e|--env|--build-arg|ENV|ARG|export|declare -x|set -\w*x\w*|setx|SetEnv|` +
			`(?:secrets?|env|variables?) (?:set|add|create|put)|dotenv(?:\s+-\w+\s+\S+)*\s+set))(?:\s+|=)["']?SECRET_KEY["']?(?:\s|$|=|\\|;)|\$(?i:env):SECRET_KEY\s*=[^=]|\b(?:id|env)=["']?SECRET_KEY\b`),
		configured: pattern("^[\\s\"'-]*SECRET_KEY[\"']?\\s*(?:[?:+!]?=(?:[^=]|$)|:)|[\"']SECRET_KEY[\"']\\s*[:=](?:[^=]|$)|[{,]\\s*SECRET_KEY\\s*=[^=]|" +
			"(?:name|key|option_name)[\"']?\\s*[:=]\\s*[\"']?SECRET_KEY[\"']?\\s*[,}]?(?:\\s|$)|pass_?env\\s*=.*\\bSECRET_KEY\\b|^[-\\s]*SECRET_KEY,?$"),
		inPython:  pattern(`env(?:iron)?\s*\[\s*["']SECRET_KEY["']\s*\]\s*=[^=]|(?:setdefault|setenv|putenv|set_env)\(\s*["']SECRET_KEY["']\s*,`),
		inList:    pattern(`["']SECRET_KEY=[^=]`),
		inMapping: pattern(`["']SECRET_KEY["']\s*:|\bSECRET_KEY\s*=[^=]`),
		inJSON:    pattern(`["']SECRET_KEY["']\s*:`),
		sampled:   pattern(`^\s*(?:#\s*)?(?:export\s+|set\s+)?["']?SECRET_KEY["']?\s*=|^\s*["']?SECRET_KEY["']?\s*:`),
		asked:     pattern(`\b(?:e?grep|rg|ag|awk|findstr|Select-String)\b[^|;&]*?SECRET_KEY[^|;&]*`),
		listed: pattern("^[\\s>*+-]*(?:\\d+[.)]\\s+)?(?:(?i:export|set|env|arg)\\s+)?[\"'`*_]*SECRET_KEY[\"'`*_]*\\s*(?::(?:[^:]|$)|--? |—|–|to\\s)|^#+\\s*[\"'`*]*SECRET_KEY[\"'`*]*\\s*$|^\\s*[*+-]\\s+[\"'`*]*SECRET_KEY[\"'`*]*\\s*$|" +
			"\\|\\s*[\"'`*]*SECRET_KEY[\"'`*]*\\s*(?:\\(\\w+\\)\\s*)?\\||^\\s*[\"'`*]*SECRET_KEY[\"'`*]*\\s*\\|"),
		told:     pattern(`(?i:\b(?:set|export|define|provide|add|generate|create|specify|supply|assign|fill in|put|enter|paste|configure|requires?)\b)[^.!?;]*?[^A-Za-z0-9_.$/-]SECRET_KEY\b`),
		required: pattern(`(?:^|[^A-Za-z0-9_.$/-])SECRET_KEY\b[^.!?;]*?(?i:\b(?:must|should|has to|have to|needs? to|is|are) (?:be )?(?:set|provided|defined|required|given|exported|present|configured|generated)\b)`),
		shown:    pattern("(?:^|[^A-Za-z0-9_.?/$])SECRET_KEY[\"'`*]*\\s*=(?:[^=]|$)"),
	}
}

var (
	// What stands behind the equals sign of a pattern, and not of a value.
	patternValue = lazyregexp.New(`^["']?[^$` + "`" + `\s]*(?:\.[*+]|\[[^\]\s]+\][*+{]|\\[sSwWdDbB]|\(\?|\|\^)`)
	// A variable that is exported by a name which is in a variable itself.
	exportsEach = lazyregexp.New(`\b(?:export|declare -x)\s+["']?\$\{?\w+\}?["']?=`)
	toTerminal  = lazyregexp.New(`\d?>+\s*(?:&\d|/dev/\w+)`)
	// What a step tells to others, which name it themselves where they use it.
	toOthers = lazyregexp.New(`\bGITHUB_OUTPUT\b|::set-output\b`)
	// An entry that is a pattern, as scanners and linters have them.
	isPattern   = lazyregexp.New(`^["']?(?:regex|regexp|pattern|patterns|exclude|match)["']?\s*[:=]`)
	linkTarget  = lazyregexp.New(`\]\([^)\s]*\)`)
	htmlComment = lazyregexp.New(`<!--.*?-->`)
	// An environment in Python, up to the end of its mapping.
	environment = lazyregexp.New(`environ\.update\(|\benv(?:iron(?:ment)?)?\s*=\s*(?:\{|dict\()|patch\.dict\(\s*["']?(?:os\.)?environ`)
	mappingEnd  = lazyregexp.New(`^\s*[})]`)
	// Code that reads a variable says nothing on how to set it, and what a program
	// of another language has is another variable.
	readsIt   = lazyregexp.New(`=\s*(?:str\()?(?:os\.|environ|getenv|config[.(]|get_random_secret_key\(|env[.(\[]|decouple|process\.env|settings\.|ENV\[|System\.|values\.)`)
	otherCode = lazyregexp.New(`^\s*(?:const|let|var|final|static|public|private|if|elif|while|assert|return|import|from|def|class)\b`)
	// A field of a class with its type, an argument of a call, and an entry that is taken from an object.
	ofCode     = lazyregexp.New(`^\s*\w+:\s*(?:(?:str|SecretStr)\b|[\w.|\[\] ]+?\s+=\s)|^\s*\w+=.*,$|^\s*["']\w+["']\s*:\s*[a-z_]\w*\.\w`)
	negated    = lazyregexp.New(`(?i)\b(?:do not|don't|don’t|never|without|instead of|no need to|need not|cannot|can't|avoid)\b|\[#\d+\]`) // a ticket is work that was done
	otherFence = lazyregexp.New(`(?i)^(?:js|jsx|ts|tsx|javascript|typescript|mjs|vue|svelte|java|kotlin|go|rust|php|ruby|rb|c|cpp|csharp|cs|swift|dart|html|css|regex|log|mermaid|diff)\b`)
)

// lineReader finds the lines of one file that set SECRET_KEY.
type lineReader struct {
	*vocabulary
	file    string // relative to the top level
	folder  string // that a script has gone to, "" for where it began
	grammar grammar
	within  bool // a mapping of Python that is an environment
	exports bool // a script that exports variables by the names in a list
	foreign bool // code of another language that a document shows
	fenced  bool
}

// provides reports whether a line sets SECRET_KEY, or tells how to. Lines come in order.
func (r *lineReader) provides(line string) bool {
	r.follow(line)
	if !r.In([]byte(line)) { // most lines do not name it, and patterns are slow
		return false
	}
	switch r.grammar {
	case ofScript:
		return !r.forOthers(line) && r.inScript(line) || r.exports && r.sets.looped.MatchString(line)
	case ofPython:
		return r.sets.inPython.MatchString(line) || r.sets.inList.MatchString(line) || (r.within || environment.MatchString(line)) && r.sets.inMapping.MatchString(line)
	case ofSample:
		return r.sets.sampled.MatchString(line)
	case ofDocument:
		return r.inDocument(line)
	}
	if strings.HasPrefix(line, ";") || isPattern.MatchString(line) {
		return false
	}
	return !r.forOthers(line) && r.inScript(line) || !readsIt.MatchString(line) && r.sets.configured.MatchString(r.sets.asked.ReplaceAllString(line, ""))
}

// inScript reports whether a line of a script sets SECRET_KEY, for itself, for a program
// that it starts or in a file that it writes.
func (v *vocabulary) inScript(line string) bool {
	if !v.In([]byte(line)) || toOthers.MatchString(line) {
		return false
	}
	if v.sets.replaced.MatchString(line) || v.sets.spaced.MatchString(line) {
		return true
	}
	if !strings.Contains(toTerminal.ReplaceAllString(line, ""), ">") && !strings.Contains(line, "tee ") {
		line = v.sets.message.ReplaceAllString(line, "")
	}
	line = v.sets.asked.ReplaceAllString(line, "")
	for _, m := range v.sets.assigned.FindAllStringSubmatch(line, -1) {
		if !patternValue.MatchString(m[1]) && !readsIt.MatchString("="+m[1]) {
			return true
		}
	}
	return v.sets.passed.MatchString(line) || v.sets.inPython.MatchString(line)
}

// intoFile is where a command writes what it says, and into a file of variables.
var intoFile = lazyregexp.New(`(?:>>?|\btee\b(?:\s+-a)?)\s*["']?([^\s"'|;&>]*env[\w.-]*)`)

// forOthers reports whether a line writes a file of variables of another program, or is run
// in the folder of one.
func (r *lineReader) forOthers(line string) bool {
	folder := r.folder
	for _, m := range changes.FindAllStringSubmatch(line, -1) {
		folder = path.Join(folder, m[1])
	}
	if m := intoFile.FindStringSubmatch(line); m != nil {
		folder = path.Join(folder, path.Dir(m[1]))
	}
	return folder != "" && r.around.foreignFrom(r.file, folder)
}

// follow keeps in mind what a line begins or ends: a mapping of Python, code in a document.
func (r *lineReader) follow(line string) {
	switch {
	case r.grammar == ofScript && !strings.ContainsAny(line, "()"): // what stands in brackets does not stay
		for _, m := range changes.FindAllStringSubmatch(line, -1) {
			r.folder = path.Join(r.folder, m[1])
		}
	case r.grammar == ofPython && (r.within || strings.Contains(line, "env")):
		r.within = (r.within && !mappingEnd.MatchString(line)) || environment.MatchString(line) && !strings.ContainsAny(line, "})")
	case r.grammar == ofDocument && (strings.HasPrefix(line, "```") || strings.HasPrefix(line, "~~~")):
		r.fenced = !r.fenced
		r.foreign = r.fenced && otherFence.MatchString(strings.TrimSpace(strings.TrimLeft(line, "`~")))
	}
}

func (r *lineReader) inDocument(line string) bool {
	line = htmlComment.ReplaceAllString(line, "")
	switch {
	case r.foreign || !r.In([]byte(line)) || ofCode.MatchString(line):
		return false
	case r.sets.shown.MatchString(line):
		return !otherCode.MatchString(line) && !readsIt.MatchString(line) && !patternValue.MatchString(afterEquals(line)) && !r.sets.asked.MatchString(line)
	case r.fenced && r.IsSecretKey(strings.TrimSpace(line)):
		return true
	case r.sets.listed.MatchString(line), r.fenced && r.sets.passed.MatchString(line):
		return true
	}
	if r.fenced { // code may be explained beside it
		_, line, _ = strings.Cut(line, " #")
	}
	line = linkTarget.ReplaceAllString(line, "]")
	return !negated.MatchString(line) && (r.sets.told.MatchString(line) || r.sets.required.MatchString(line))
}

func afterEquals(line string) string {
	_, value, _ := strings.Cut(line, "=")
	return strings.TrimSpace(value)
}
