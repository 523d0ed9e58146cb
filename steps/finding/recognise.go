package finding

import (
	"bytes"
	"slices"

	"github.com/charmbracelet/x/ansi"

	"dj/keysplit/steps/internal/lazyregexp"
)

// sign is how one kind of trouble looks in what other programs print.
type sign struct {
	code Code
	text *lazyregexp.Regexp
}

func looksLike(code Code, text string) sign { return sign{code, lazyregexp.New(`(?i)` + text)} }

// refusedToken is what Django says of a token that another key has signed.
const refusedToken = `token_not_valid|Given token not valid|Token is invalid|Signature verification failed|InvalidSignatureError`

// signs are ordered: what says most exactly what is wrong comes first. The
// messages are those of the upgrade guide, of the settings of real projects, of
// python-decouple 3.8, django-environ 0.11, Django, simplejwt, django-axes,
// docker compose, kubectl and Python itself.
var signs = []sign{
	looksLike(JWTKeyTooShort, `JWT_SECRET_KEY\W[^\n]*(at least|minimum|shorter than|too short|fewer than|less than)[^\n]*(char|byte|\b50\b)|JWT_SECRET_KEY (is )?too short`),
	looksLike(JWTKeyEqualsSecretKey, `JWT_SECRET_KEY\W[^\n]*(must be|must|should|has to)( be)? (different|differ|distinct|not (be )?(the same|equal|match))[^\n]*SECRET_KEY|JWT_SECRET_KEY[^\n]*(is the same as|equals|cannot be the same as|same value as)[^\n]*SECRET_KEY`),
	looksLike(JWTKeyPlaceholder, `JWT_SECRET_KEY\W[^\n]*(placeholder|example value|change[- ]?me|insecure default)`),
	looksLike(ComposeMissingKey, `The \\?"?JWT_SECRET_KEY\\?"? variable is not set|required variable JWT_SECRET_KEY is missing a value`),
	looksLike(KubernetesMissingKey, `CreateContainerConfigError|couldn't find key [^\n]* in Secret|secret "[^"\n]*" not found`),
	looksLike(JWTKeyMissing, `JWT_SECRET_KEY\W[^\n]*(is required|required in|must be set|is not set|not set|is missing|not found|undefined|cannot be empty|must not be empty|not configured)|(Set|Missing|Required)[^\n]{0,30} JWT_SECRET_KEY\b|KeyError: ['"]JWT_SECRET_KEY['"]|(field required|missing)[^\n]*jwt_secret_key|jwt_secret_key\s+Field required`),
	looksLike(SecretKeyMissing, `(^|[^_A-Z])SECRET_KEY (setting must not be empty|not found|environment variable)|Set the SECRET_KEY environment variable|KeyError: ['"]SECRET_KEY['"]`),
	looksLike(ValueInlineComment, `invalid literal for int\(\)[^\n]*['"][^'"\n]*#|Not a boolean: [^\n]*#|could not convert string to float: ['"][^'"\n]*#`),
	looksLike(LineGlued, `Not a boolean: [^\n]*JWT_SECRET_KEY=|['"][^'"\n]*\w(JWT_)?SECRET_KEY=`),
	looksLike(EncodingInvalid, `UnicodeDecodeError|codec can't decode byte`),
	looksLike(EncodingBOM, `\\ufeff|\xef\xbb\xbf|unexpected character "\\ufeff"`),
	looksLike(QuoteUnbalanced, `unterminated quoted|unexpected (EOF|end of file)[^\n]*(quote|matching)|python-dotenv could not parse statement`),
	looksLike(EnvFileUnreadable, `PermissionError[^\n]*\.env|\.env[^\n]*permission denied|permission denied[^\n]*\.env`),
	looksLike(EnvFileMissing, `(env file|No such file or directory)[^\n]*\.env|\.env[^\n]*(not found|No such file)`),
	looksLike(LoginCSRF, `CSRF (Failed|verification failed|token missing|cookie not set|token from)`),
	looksLike(LoginThrottled, `Request was throttled|Too Many Requests|\b429\b`),
	looksLike(LoginLocked, `account (is |has been )?(temporarily )?locked|Account locked|too many (failed )?login attempts`),
	// Everybody's old token after the upgrade, or a server that was not restarted.
	looksLike(TokenRefused, refusedToken),
	looksLike(ServerStaleKey, refusedToken),
	looksLike(LoginRejected, `No active account found|no_active_account|Unable to log in with provided credentials|Invalid credentials`),
	looksLike(TLSUntrusted, `certificate verify failed|certificate signed by unknown authority|self[- ]signed certificate|x509:|unable to get local issuer`),
	looksLike(ServerUnreachable, `Connection refused|Failed to connect to|Could not connect to server|Connection reset by peer|\b50[234] (Bad Gateway|Service|Gateway)`),
	looksLike(TokenAlgorithm, `The specified alg value is not allowed|InvalidAlgorithmError|Algorithm not (supported|allowed)`),
	looksLike(DjangoNotRunnable, `No module named ['"]?|Couldn't import Django|ModuleNotFoundError|cannot import name|manage\.py: (command )?not found|python: (command )?not found`),
	looksLike(ProjectNotFound, `can't open file [^\n]*manage\.py`),
	looksLike(DjangoCheckFailed, `SystemCheckError|System check identified [1-9]`),
}

// Recognise finds the kinds of trouble that a pasted text is about, the most
// exact first, each once. The text may be anything: a traceback, the answer of a
// server, the log of a container. Nothing of it is kept. Python's last line says
// what went wrong, so an ImproperlyConfigured about the key beats the frames
// above it by what it says, not by its place.
func Recognise(text []byte) []Code {
	text = bytes.ToValidUTF8(text, []byte("?"))
	text = []byte(ansi.Strip(string(text)))
	var out []Code
	for _, s := range signs {
		if !slices.Contains(out, s.code) && s.text.Match(text) {
			out = append(out, s.code)
		}
	}
	return out
}
