#include "pgsql/table/compiled_table.h"

#include <utility>

namespace proxymux::pgsql {
namespace {

void WarnOfUnshowable(std::string_view setting, std::string_view text,
                      CompiledTable::Errors* warnings) {
  switch (WhetherToShow(text)) {
    case Showable::kYes:
      return;
    case Showable::kStrayAt:
      warnings->push_back(
          {std::string(setting),
           "a connection URI has an '@' behind its user and password (nothing of it is shown, "
           "since a part of a password may have been taken for a host or a database): in a "
           "password write %40 for @, %2F for /, %23 for #, %3F for ?; elsewhere %40 for @"});
      return;
    case Showable::kMistypedUri:
      warnings->push_back({std::string(setting),
                           "is taken as it stands, but looks like a connection URI (it is not "
                           "shown, since it may hold a password): those begin with postgresql://"});
      return;
  }
}

}  // namespace

std::string_view NoQueryText(NoQueryReason reason) {
  switch (reason) {
    case NoQueryReason::kEmptyKey:
      return "the key is empty";
    case NoQueryReason::kNoUserPart:
      return "the key has nothing before its last '@'";
    case NoQueryReason::kNoDomainPart:
      return "the key has no domain";
    case NoQueryReason::kTooFewLabels:
      return "the key's domain has fewer labels than the templates use";
    case NoQueryReason::kDomainNotListed:
      return "the key is not user@domain with a domain on the table's list";
  }
  return "";
}

CompiledTable::CompiledTable(QueryTemplate query, ResultFormat result_format)
    : query_(std::move(query)), result_format_(std::move(result_format)) {
  requirements_ = query_.requirements();
  requirements_.Merge(result_format_.requirements());
  statement_class_ =
      ClassifyStatement(query_.source(), query_.tokens(),
                        query_.has_open_placeholder() || query_.depends_on_backslash_rule());
}

std::variant<std::shared_ptr<const CompiledTable>, CompiledTable::Errors> CompiledTable::Compile(
    const config::TableConfig& table, const config::TableSettings& settings,
    const DomainFilter::FileReader& read_file, const DomainFilter::Fold& fold) {
  Errors errors;
  Errors warnings;

  UnquotedValues unquoted = UnquotedValues::kNumbers;
  switch (settings.unquoted_placeholders) {
    case config::UnquotedPlaceholders::kNumbers:
      break;
    case config::UnquotedPlaceholders::kAny:
      unquoted = UnquotedValues::kAny;
      break;
  }
  auto query = QueryTemplate::Compile(table.query, unquoted);
  if (table.query.empty()) {
    errors.push_back({"query", "is not set; write the SQL query to run"});
  } else if (const auto* error = std::get_if<TemplateError>(&query)) {
    errors.push_back({"query", error->text, error->offset});
  }
  auto format = ResultFormat::Compile(table.result_format);
  if (const auto* error = std::get_if<TemplateError>(&format))
    errors.push_back({"result_format", error->text, error->offset});
  auto domain = DomainFilter::Compile(table.domain, read_file, fold);
  if (const auto* faults = std::get_if<std::vector<std::string>>(&domain)) {
    for (const std::string& fault : *faults) errors.push_back({"domain", fault});
  } else {
    for (const std::string& warning : std::get<DomainFilter>(domain).warnings())
      warnings.push_back({"domain", warning});
  }

  // One bad entry among good ones is a host that cannot be used, as in Postfix, not a broken table.
  ParsedHosts parsed = ParseHosts(table.hosts);
  const std::vector<HostSpec>& hosts = parsed.hosts;
  if (hosts.empty() && parsed.faults.empty()) errors.push_back({"hosts", "names no host"});
  Errors& faults_go_to = hosts.empty() ? errors : warnings;
  for (const std::string& fault : parsed.faults) faults_go_to.push_back({"hosts", fault});
  bool needs_dbname = false;
  for (const HostSpec& host : hosts) {
    if (host.kind != HostKind::kUri) needs_dbname = true;
    WarnOfUnshowable("hosts", host.name, &warnings);
  }
  WarnOfUnshowable("dbname", table.dbname, &warnings);
  if (needs_dbname && table.dbname.empty())
    errors.push_back({"dbname", "is not set; it may be left out only when every host is a URI"});

  if (!errors.empty()) return errors;
  std::shared_ptr<CompiledTable> result(new CompiledTable(
      std::get<QueryTemplate>(std::move(query)), std::get<ResultFormat>(std::move(format))));
  result->domain_ = std::get<DomainFilter>(std::move(domain));
  result->limits_ = {table.expansion_limit, settings.max_value};
  result->hosts_ = std::move(parsed.hosts);
  result->warnings_ = std::move(warnings);
  return std::shared_ptr<const CompiledTable>(std::move(result));
}

Preparation CompiledTable::Prepare(const KeyParts& key, std::string_view folded_domain) const {
  Preparation result;
  if (key.key().empty()) {
    result.kind = Preparation::Kind::kNotFound;
    return result;
  }
  // The domain of "user@" is on no list: names are not empty, and stock proxymap, which is asked
  // about a type:table, answers no empty key.
  if (!domain_.unrestricted() && (key.user().empty() || key.domain().empty())) {
    result.kind = Preparation::Kind::kNotFound;
    result.reason = NoQueryReason::kDomainNotListed;
    return result;
  }
  return AfterDomain(domain_.Evaluate(folded_domain), key);
}

Preparation CompiledTable::ResumePrepare(const Preparation& before,
                                         DomainFilter::TableAnswer answer, const KeyParts& key,
                                         std::string_view folded_domain) const {
  return AfterDomain(domain_.Resume(before.domain, answer, folded_domain), key);
}

Preparation CompiledTable::AfterDomain(const DomainFilter::Step& step, const KeyParts& key) const {
  Preparation result;
  result.domain = step;
  switch (step.verdict) {
    case DomainFilter::Verdict::kMatch:
      break;
    case DomainFilter::Verdict::kNoMatch:
      result.kind = Preparation::Kind::kNotFound;
      result.reason = NoQueryReason::kDomainNotListed;
      return result;
    case DomainFilter::Verdict::kNeedTable:
      result.kind = Preparation::Kind::kNeedTable;
      return result;
    case DomainFilter::Verdict::kUnavailable:
      result.kind = Preparation::Kind::kUnavailable;
      return result;
  }
  switch (FirstMissing(requirements_, key)) {
    case Missing::kNothing:
      return result;
    case Missing::kUser:
      result.reason = NoQueryReason::kNoUserPart;
      break;
    case Missing::kDomain:
      result.reason = NoQueryReason::kNoDomainPart;
      break;
    case Missing::kLabels:
      result.reason = NoQueryReason::kTooFewLabels;
      break;
  }
  result.kind = Preparation::Kind::kNotFound;
  return result;
}

}  // namespace proxymux::pgsql
