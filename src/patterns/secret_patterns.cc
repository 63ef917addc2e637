#include "patterns/secret_patterns.h"

#include "patterns/secret_pattern_text.h"

namespace holdfast::patterns {
namespace {

// clang-format off: one pattern a line
constexpr SecretPattern kPatterns[] = {
    {.id = "aws-access-key", .title = "AWS access key id", .kind = SecretKind::kToken, .keyword = "AKIA", .shape = Shape::kPrefix, .alphabet = Alphabet::kBase32, .min = 16, .max = 16, .source = "AWS IAM User Guide, Unique identifiers"},
    {.id = "aws-access-key", .title = "AWS access key id", .kind = SecretKind::kToken, .keyword = "ASIA", .shape = Shape::kPrefix, .alphabet = Alphabet::kBase32, .min = 16, .max = 16, .source = "AWS IAM User Guide, Unique identifiers"},
    {.id = "aws-secret-key", .title = "AWS secret access key", .kind = SecretKind::kToken, .keyword = "secret_access_key", .shape = Shape::kAssigned, .alphabet = Alphabet::kBase64, .min = 40, .max = 40, .source = "AWS IAM User Guide, Managing access keys"},
    {.id = "aws-secret-key", .title = "AWS secret access key", .kind = SecretKind::kToken, .keyword = "secretaccesskey", .shape = Shape::kAssigned, .alphabet = Alphabet::kBase64, .min = 40, .max = 40, .source = "AWS IAM User Guide, Managing access keys"},
    {.id = "aws-secret-key", .title = "AWS secret access key", .kind = SecretKind::kToken, .keyword = "aws_secret_key", .shape = Shape::kAssigned, .alphabet = Alphabet::kBase64, .min = 40, .max = 40, .source = "AWS IAM User Guide, Managing access keys"},
    {.id = "google-api-key", .title = "Google API key", .kind = SecretKind::kToken, .keyword = "AIza", .shape = Shape::kPrefix, .alphabet = Alphabet::kUrlSafe, .min = 35, .max = 35, .source = "Google Cloud, Manage API keys"},
    {.id = "google-oauth-secret", .title = "Google OAuth client secret", .kind = SecretKind::kToken, .keyword = "GOCSPX-", .shape = Shape::kPrefix, .alphabet = Alphabet::kUrlSafe, .min = 28, .max = 28, .source = "Google Identity, OAuth 2.0 clients"},
    {.id = "google-oauth-token", .title = "Google OAuth access token", .kind = SecretKind::kToken, .keyword = "ya29.", .shape = Shape::kPrefix, .alphabet = Alphabet::kDotted, .min = 30, .max = 1200, .source = "Google Identity, Token types"},
    {.id = "gcp-service-account", .title = "Google service account key", .kind = SecretKind::kToken, .keyword = "private_key_id", .shape = Shape::kAssigned, .alphabet = Alphabet::kHex, .min = 40, .max = 40, .source = "Google Cloud IAM, Service account keys"},
    {.id = "azure-storage-key", .title = "Azure storage account key", .kind = SecretKind::kToken, .keyword = "AccountKey=", .shape = Shape::kBehind, .alphabet = Alphabet::kBase64, .min = 88, .max = 88, .source = "Azure Storage, Configure connection strings"},
    {.id = "azure-sas", .title = "Azure shared access signature", .kind = SecretKind::kToken, .keyword = "sig=", .shape = Shape::kSas, .source = "Azure Storage, Create a service SAS"},
    {.id = "github-token", .title = "GitHub token", .kind = SecretKind::kToken, .keyword = "ghp_", .shape = Shape::kPrefix, .min = 36, .max = 36, .check = Check::kCrc32, .source = "GitHub blog 2021-04-05, Behind GitHub's new authentication token formats"},
    {.id = "github-token", .title = "GitHub token", .kind = SecretKind::kToken, .keyword = "gho_", .shape = Shape::kPrefix, .min = 36, .max = 36, .check = Check::kCrc32, .source = "GitHub blog 2021-04-05, Behind GitHub's new authentication token formats"},
    {.id = "github-token", .title = "GitHub token", .kind = SecretKind::kToken, .keyword = "ghu_", .shape = Shape::kPrefix, .min = 36, .max = 36, .check = Check::kCrc32, .source = "GitHub blog 2021-04-05, Behind GitHub's new authentication token formats"},
    {.id = "github-token", .title = "GitHub token", .kind = SecretKind::kToken, .keyword = "ghs_", .shape = Shape::kPrefix, .min = 36, .max = 36, .check = Check::kCrc32, .source = "GitHub blog 2021-04-05, Behind GitHub's new authentication token formats"},
    {.id = "github-token", .title = "GitHub token", .kind = SecretKind::kToken, .keyword = "ghr_", .shape = Shape::kPrefix, .min = 36, .max = 36, .check = Check::kCrc32, .source = "GitHub blog 2021-04-05, Behind GitHub's new authentication token formats"},
    {.id = "github-fine-grained-token", .title = "GitHub fine-grained token", .kind = SecretKind::kToken, .keyword = "github_pat_", .shape = Shape::kPrefix, .alphabet = Alphabet::kWord, .min = 82, .max = 82, .check = Check::kCrc32Confirms, .source = "GitHub Docs, Managing your personal access tokens"},
    {.id = "gitlab-token", .title = "GitLab token", .kind = SecretKind::kToken, .keyword = "glpat-", .shape = Shape::kPrefix, .alphabet = Alphabet::kDotted, .min = 20, .max = 300, .source = "GitLab Docs, Token overview"},
    {.id = "gitlab-token", .title = "GitLab token", .kind = SecretKind::kToken, .keyword = "gldt-", .shape = Shape::kPrefix, .alphabet = Alphabet::kDotted, .min = 20, .max = 300, .source = "GitLab Docs, Token overview"},
    {.id = "gitlab-token", .title = "GitLab token", .kind = SecretKind::kToken, .keyword = "glrt-", .shape = Shape::kPrefix, .alphabet = Alphabet::kDotted, .min = 20, .max = 300, .source = "GitLab Docs, Token overview"},
    {.id = "gitlab-token", .title = "GitLab token", .kind = SecretKind::kToken, .keyword = "glptt-", .shape = Shape::kPrefix, .alphabet = Alphabet::kDotted, .min = 20, .max = 300, .source = "GitLab Docs, Token overview"},
    {.id = "gitlab-token", .title = "GitLab token", .kind = SecretKind::kToken, .keyword = "glcbt-", .shape = Shape::kPrefix, .alphabet = Alphabet::kDotted, .min = 20, .max = 300, .source = "GitLab Docs, Token overview"},
    {.id = "gitlab-token", .title = "GitLab token", .kind = SecretKind::kToken, .keyword = "gloas-", .shape = Shape::kPrefix, .alphabet = Alphabet::kDotted, .min = 20, .max = 300, .source = "GitLab Docs, Token overview"},
    {.id = "slack-token", .title = "Slack token", .kind = SecretKind::kToken, .keyword = "xoxb-", .shape = Shape::kPrefix, .alphabet = Alphabet::kDashed, .min = 24, .max = 300, .source = "Slack API, Token types"},
    {.id = "slack-token", .title = "Slack token", .kind = SecretKind::kToken, .keyword = "xoxp-", .shape = Shape::kPrefix, .alphabet = Alphabet::kDashed, .min = 24, .max = 300, .source = "Slack API, Token types"},
    {.id = "slack-token", .title = "Slack token", .kind = SecretKind::kToken, .keyword = "xoxa-", .shape = Shape::kPrefix, .alphabet = Alphabet::kDashed, .min = 24, .max = 300, .source = "Slack API, Token types"},
    {.id = "slack-token", .title = "Slack token", .kind = SecretKind::kToken, .keyword = "xoxr-", .shape = Shape::kPrefix, .alphabet = Alphabet::kDashed, .min = 24, .max = 300, .source = "Slack API, Token types"},
    {.id = "slack-token", .title = "Slack token", .kind = SecretKind::kToken, .keyword = "xoxs-", .shape = Shape::kPrefix, .alphabet = Alphabet::kDashed, .min = 24, .max = 300, .source = "Slack API, Token types"},
    {.id = "slack-token", .title = "Slack token", .kind = SecretKind::kToken, .keyword = "xoxe-", .shape = Shape::kPrefix, .alphabet = Alphabet::kDashed, .min = 24, .max = 300, .source = "Slack API, Token types"},
    {.id = "slack-token", .title = "Slack token", .kind = SecretKind::kToken, .keyword = "xapp-", .shape = Shape::kPrefix, .alphabet = Alphabet::kDashed, .min = 24, .max = 300, .source = "Slack API, Token types"},
    {.id = "slack-webhook", .title = "Slack webhook", .kind = SecretKind::kToken, .keyword = "hooks.slack.com/services/", .shape = Shape::kPrefix, .alphabet = Alphabet::kPath, .min = 40, .max = 60, .source = "Slack API, Incoming webhooks"},
    {.id = "stripe-key", .title = "Stripe live key", .kind = SecretKind::kToken, .keyword = "sk_live_", .shape = Shape::kPrefix, .min = 24, .max = 247, .source = "Stripe Docs, API keys"},
    {.id = "stripe-key", .title = "Stripe live key", .kind = SecretKind::kToken, .keyword = "rk_live_", .shape = Shape::kPrefix, .min = 24, .max = 247, .source = "Stripe Docs, API keys"},
    {.id = "npm-token", .title = "npm token", .kind = SecretKind::kToken, .keyword = "npm_", .shape = Shape::kPrefix, .min = 36, .max = 36, .check = Check::kCrc32, .source = "GitHub blog 2021-09-23, npm access token format"},
    {.id = "pypi-token", .title = "PyPI token", .kind = SecretKind::kToken, .keyword = "pypi-AgEIcHlwaS5vcmc", .shape = Shape::kPrefix, .alphabet = Alphabet::kUrlSafe, .min = 50, .max = 1000, .source = "PyPI Help, API tokens"},
    {.id = "huggingface-token", .title = "Hugging Face token", .kind = SecretKind::kToken, .keyword = "hf_", .shape = Shape::kPrefix, .min = 34, .max = 34, .source = "Hugging Face Docs, User access tokens"},
    {.id = "huggingface-token", .title = "Hugging Face token", .kind = SecretKind::kToken, .keyword = "api_org_", .shape = Shape::kPrefix, .min = 34, .max = 34, .source = "Hugging Face Docs, User access tokens"},
    {.id = "openai-key", .title = "OpenAI key", .kind = SecretKind::kToken, .keyword = "sk-", .shape = Shape::kPrefix, .min = 48, .max = 48, .check = Check::kOpenAi, .source = "OpenAI Docs, API keys"},
    {.id = "openai-key", .title = "OpenAI key", .kind = SecretKind::kToken, .keyword = "sk-proj-", .shape = Shape::kPrefix, .alphabet = Alphabet::kUrlSafe, .min = 48, .max = 200, .source = "OpenAI Docs, API keys"},
    {.id = "openai-key", .title = "OpenAI key", .kind = SecretKind::kToken, .keyword = "sk-svcacct-", .shape = Shape::kPrefix, .alphabet = Alphabet::kUrlSafe, .min = 48, .max = 200, .source = "OpenAI Docs, API keys"},
    {.id = "openai-key", .title = "OpenAI key", .kind = SecretKind::kToken, .keyword = "sk-admin-", .shape = Shape::kPrefix, .alphabet = Alphabet::kUrlSafe, .min = 48, .max = 200, .source = "OpenAI Docs, API keys"},
    {.id = "anthropic-key", .title = "Anthropic key", .kind = SecretKind::kToken, .keyword = "sk-ant-", .shape = Shape::kPrefix, .alphabet = Alphabet::kUrlSafe, .min = 60, .max = 140, .source = "Anthropic Docs, API keys"},
    {.id = "groq-key", .title = "Groq key", .kind = SecretKind::kToken, .keyword = "gsk_", .shape = Shape::kPrefix, .min = 52, .max = 52, .source = "Groq Docs, API keys"},
    {.id = "replicate-token", .title = "Replicate token", .kind = SecretKind::kToken, .keyword = "r8_", .shape = Shape::kPrefix, .min = 37, .max = 37, .source = "Replicate Docs, API tokens"},
    {.id = "nvidia-key", .title = "NVIDIA API key", .kind = SecretKind::kToken, .keyword = "nvapi-", .shape = Shape::kPrefix, .alphabet = Alphabet::kUrlSafe, .min = 60, .max = 70, .source = "NVIDIA NGC, API keys"},
    {.id = "pinecone-key", .title = "Pinecone key", .kind = SecretKind::kToken, .keyword = "pcsk_", .shape = Shape::kPrefix, .alphabet = Alphabet::kWord, .min = 60, .max = 80, .source = "Pinecone Docs, API keys"},
    {.id = "langsmith-key", .title = "LangSmith key", .kind = SecretKind::kToken, .keyword = "lsv2_pt_", .shape = Shape::kPrefix, .alphabet = Alphabet::kWord, .min = 43, .max = 43, .source = "LangSmith Docs, API keys"},
    {.id = "langsmith-key", .title = "LangSmith key", .kind = SecretKind::kToken, .keyword = "lsv2_sk_", .shape = Shape::kPrefix, .alphabet = Alphabet::kWord, .min = 43, .max = 43, .source = "LangSmith Docs, API keys"},
    {.id = "wandb-key", .title = "Weights and Biases key", .kind = SecretKind::kToken, .keyword = "wandb_api_key", .shape = Shape::kAssigned, .alphabet = Alphabet::kHex, .min = 40, .max = 40, .source = "W&B Docs, Environment variables"},
    {.id = "sendgrid-key", .title = "SendGrid key", .kind = SecretKind::kToken, .keyword = "SG.", .shape = Shape::kPrefix, .alphabet = Alphabet::kDotted, .min = 66, .max = 66, .check = Check::kSendGrid, .source = "Twilio SendGrid Docs, API keys"},
    {.id = "databricks-token", .title = "Databricks token", .kind = SecretKind::kToken, .keyword = "dapi", .shape = Shape::kPrefix, .alphabet = Alphabet::kHex, .min = 32, .max = 32, .source = "Databricks Docs, Personal access tokens"},
    {.id = "digitalocean-token", .title = "DigitalOcean token", .kind = SecretKind::kToken, .keyword = "dop_v1_", .shape = Shape::kPrefix, .alphabet = Alphabet::kHex, .min = 64, .max = 64, .source = "DigitalOcean Docs, API tokens"},
    {.id = "digitalocean-token", .title = "DigitalOcean token", .kind = SecretKind::kToken, .keyword = "doo_v1_", .shape = Shape::kPrefix, .alphabet = Alphabet::kHex, .min = 64, .max = 64, .source = "DigitalOcean Docs, API tokens"},
    {.id = "docker-token", .title = "Docker Hub token", .kind = SecretKind::kToken, .keyword = "dckr_pat_", .shape = Shape::kPrefix, .alphabet = Alphabet::kUrlSafe, .min = 27, .max = 27, .source = "Docker Docs, Personal access tokens"},
    {.id = "vault-token", .title = "HashiCorp Vault token", .kind = SecretKind::kToken, .keyword = "hvs.", .shape = Shape::kPrefix, .alphabet = Alphabet::kUrlSafe, .min = 24, .max = 300, .source = "Vault Docs, Tokens"},
    {.id = "vault-token", .title = "HashiCorp Vault token", .kind = SecretKind::kToken, .keyword = "hvb.", .shape = Shape::kPrefix, .alphabet = Alphabet::kUrlSafe, .min = 24, .max = 300, .source = "Vault Docs, Tokens"},
    {.id = "age-key", .title = "age private key", .kind = SecretKind::kPrivateKey, .keyword = "AGE-SECRET-KEY-1", .shape = Shape::kPrefix, .alphabet = Alphabet::kUpperDigits, .min = 58, .max = 58, .source = "C2SP age, The X25519 recipient type"},
    {.id = "jwt", .title = "JSON Web Token", .kind = SecretKind::kToken, .keyword = "eyJ", .shape = Shape::kJwt, .source = "RFC 7519, section 3"},
    {.id = "private-key", .title = "Private key", .kind = SecretKind::kPrivateKey, .keyword = "-----BEGIN ", .shape = Shape::kPem, .source = "RFC 7468, section 10; OpenSSH PROTOCOL.key"},
    {.id = "url-password", .title = "Password in an address", .kind = SecretKind::kAddress, .keyword = "://", .shape = Shape::kUrl, .source = "RFC 3986, section 3.2.1"},
    {.id = "password", .title = "Password or key in the source", .kind = SecretKind::kPassword, .keyword = "password", .shape = Shape::kPassword, .source = "Names that programs give to their credentials"},
    {.id = "password", .title = "Password or key in the source", .kind = SecretKind::kPassword, .keyword = "passwd", .shape = Shape::kPassword, .source = "Names that programs give to their credentials"},
    {.id = "password", .title = "Password or key in the source", .kind = SecretKind::kPassword, .keyword = "passphrase", .shape = Shape::kPassword, .source = "Names that programs give to their credentials"},
    {.id = "password", .title = "Password or key in the source", .kind = SecretKind::kPassword, .keyword = "pwd", .shape = Shape::kPassword, .source = "Names that programs give to their credentials"},
    {.id = "password", .title = "Password or key in the source", .kind = SecretKind::kPassword, .keyword = "secret", .shape = Shape::kPassword, .source = "Names that programs give to their credentials"},
    {.id = "password", .title = "Password or key in the source", .kind = SecretKind::kPassword, .keyword = "api_key", .shape = Shape::kPassword, .source = "Names that programs give to their credentials"},
    {.id = "password", .title = "Password or key in the source", .kind = SecretKind::kPassword, .keyword = "apikey", .shape = Shape::kPassword, .source = "Names that programs give to their credentials"},
    {.id = "password", .title = "Password or key in the source", .kind = SecretKind::kPassword, .keyword = "api-key", .shape = Shape::kPassword, .source = "Names that programs give to their credentials"},
    {.id = "password", .title = "Password or key in the source", .kind = SecretKind::kPassword, .keyword = "access_key", .shape = Shape::kPassword, .source = "Names that programs give to their credentials"},
    {.id = "password", .title = "Password or key in the source", .kind = SecretKind::kPassword, .keyword = "accesskey", .shape = Shape::kPassword, .source = "Names that programs give to their credentials"},
    {.id = "password", .title = "Password or key in the source", .kind = SecretKind::kPassword, .keyword = "auth_token", .shape = Shape::kPassword, .source = "Names that programs give to their credentials"},
    {.id = "password", .title = "Password or key in the source", .kind = SecretKind::kPassword, .keyword = "authtoken", .shape = Shape::kPassword, .source = "Names that programs give to their credentials"},
    {.id = "password", .title = "Password or key in the source", .kind = SecretKind::kPassword, .keyword = "access_token", .shape = Shape::kPassword, .source = "Names that programs give to their credentials"},
    {.id = "password", .title = "Password or key in the source", .kind = SecretKind::kPassword, .keyword = "accesstoken", .shape = Shape::kPassword, .source = "Names that programs give to their credentials"},
    {.id = "password", .title = "Password or key in the source", .kind = SecretKind::kPassword, .keyword = "api_token", .shape = Shape::kPassword, .source = "Names that programs give to their credentials"},
    {.id = "password", .title = "Password or key in the source", .kind = SecretKind::kPassword, .keyword = "hf_token", .shape = Shape::kPassword, .source = "Names that programs give to their credentials"},
    {.id = "password", .title = "Password or key in the source", .kind = SecretKind::kPassword, .keyword = "credential", .shape = Shape::kPassword, .source = "Names that programs give to their credentials"},
};
// clang-format on

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_base62(char c) { return is_letter(c) || is_digit(c); }

}  // namespace

std::span<const SecretPattern> builtin_secret_patterns() { return kPatterns; }

bool is_in(Alphabet alphabet, char c) {
  switch (alphabet) {
    case Alphabet::kLetters:
      return is_letter(c);
    case Alphabet::kBase62:
      return is_base62(c);
    case Alphabet::kBase32:
      return (c >= 'A' && c <= 'Z') || (c >= '2' && c <= '7');
    case Alphabet::kUpperDigits:
      return (c >= 'A' && c <= 'Z') || is_digit(c);
    case Alphabet::kHex:
      return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    case Alphabet::kBase64:
      return is_base62(c) || c == '+' || c == '/' || c == '=';
    case Alphabet::kUrlSafe:
      return is_base62(c) || c == '-' || c == '_';
    case Alphabet::kDashed:
      return is_base62(c) || c == '-';
    case Alphabet::kWord:
      return is_base62(c) || c == '_';
    case Alphabet::kDotted:
      return is_base62(c) || c == '-' || c == '_' || c == '.';
    case Alphabet::kPath:
      return is_base62(c) || c == '/';
  }
  return false;
}

}  // namespace holdfast::patterns
