#include "otlp/tls_words.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#define NAMES_MAX 4 /* of a certificate that are told */

/* ---- certificates -------------------------------------------------------------------------- */

static void put_name(BIO *out, const X509_NAME *name)
{
    if (name == NULL || X509_NAME_entry_count(name) == 0) {
        BIO_printf(out, "nobody");
        return;
    }
    X509_NAME_print_ex(out, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
}

/* Whom a certificate is for: its subjectAltName, the only names that count. */
static void put_alternatives(BIO *out, const X509 *certificate)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    int count = names != NULL ? sk_GENERAL_NAME_num(names) : 0;
    if (count <= 0) {
        BIO_printf(out, "no name: it has no subjectAltName");
    }
    for (int i = 0; i < count && i < NAMES_MAX; i++) {
        BIO_printf(out, "%s", i > 0 ? ", " : "");
        GENERAL_NAME_print(out, sk_GENERAL_NAME_value(names, i));
    }
    if (count > NAMES_MAX) {
        BIO_printf(out, " and %d more", count - NAMES_MAX);
    }
    GENERAL_NAMES_free(names);
}

static void put_detail(BIO *out, int error, const X509 *certificate, const char *host,
                       const char *authorities)
{
    switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        BIO_printf(out, ": ");
        put_name(out, X509_get_subject_name(certificate));
        BIO_printf(out, " was valid until ");
        ASN1_TIME_print(out, X509_get0_notAfter(certificate));
        break;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        BIO_printf(out, ": ");
        put_name(out, X509_get_subject_name(certificate));
        BIO_printf(out, " is valid from ");
        ASN1_TIME_print(out, X509_get0_notBefore(certificate));
        break;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        BIO_printf(out, ": it is not for %s but for ", host);
        put_alternatives(out, certificate);
        break;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        BIO_printf(out, ": ");
        put_name(out, X509_get_issuer_name(certificate));
        BIO_printf(out, ", who issued it, is not in %s", authorities);
        break;
    default:
        BIO_printf(out, ": ");
        put_name(out, X509_get_subject_name(certificate));
        break;
    }
}

void tel__tls_describe_refusal(X509_STORE_CTX *store, const char *host, const char *authorities,
                               char *text, size_t size)
{
    int error = X509_STORE_CTX_get_error(store);
    const X509 *certificate = X509_STORE_CTX_get_current_cert(store);
    BIO *out = BIO_new(BIO_s_mem());
    char *bytes = NULL;
    if (out != NULL && certificate != NULL) {
        put_detail(out, error, certificate, host, authorities);
    }
    long length = out != NULL ? BIO_get_mem_data(out, &bytes) : 0;
    snprintf(text, size, "certificate refused: %s%.*s", X509_verify_cert_error_string(error),
             (int)length, length > 0 ? bytes : "");
    BIO_free(out);
}

/* ---- errors -------------------------------------------------------------------------------- */

struct hint {
    int reason; /* of ERR_LIB_SSL */
    const char *text;
    bool lasts;
};

static const struct hint hints[] = {
    {SSL_R_WRONG_VERSION_NUMBER, "what answers there does not speak TLS", true},
    {SSL_R_UNSUPPORTED_PROTOCOL, "it offers no TLS 1.2 or newer", true},
    {SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, "it offers no TLS 1.2 or newer", true},
    {SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, "it wants a client certificate", true},
    {SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE, "no cipher in common, or it wants a client certificate",
     true},
    {SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, "it does not accept our client certificate", true},
    {SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE, "it does not accept our client certificate", true},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED, "our client certificate was revoked", true},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, "our client certificate has expired", true},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, "it does not accept our client certificate", true},
    {SSL_R_TLSV1_ALERT_UNKNOWN_CA, "it does not know the CA of our client certificate", true},
    {SSL_R_TLSV1_ALERT_ACCESS_DENIED, "it does not let our client certificate in", true},
    {SSL_R_TLSV1_UNRECOGNIZED_NAME, "it has no certificate for that name", true},
    {SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL, "it does not speak HTTP/1.1", true},
    {SSL_R_UNEXPECTED_EOF_WHILE_READING, "it hung up", false},
};

static const struct hint *find_hint(unsigned long error)
{
    for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
        if (ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == hints[i].reason) {
            return &hints[i];
        }
    }
    return NULL;
}

bool tel__tls_describe_error(unsigned long error, char *text, size_t size, bool *lasts)
{
    const char *reason =
        ERR_SYSTEM_ERROR(error) ? strerror(ERR_GET_REASON(error)) : ERR_reason_error_string(error);
    const struct hint *hint = find_hint(error);
    if (reason == NULL) {
        return false;
    }
    *lasts = hint != NULL && hint->lasts;
    snprintf(text, size, "TLS: %s%s%s%s", reason, hint != NULL ? " (" : "",
             hint != NULL ? hint->text : "", hint != NULL ? ")" : "");
    return true;
}

void tel__tls_describe_queue(char *text, size_t size)
{
    unsigned long error = ERR_peek_error();
    const char *reason =
        ERR_SYSTEM_ERROR(error) ? strerror(ERR_GET_REASON(error)) : ERR_reason_error_string(error);
    snprintf(text, size, "%s", reason != NULL ? reason : "unusable");
    ERR_clear_error();
}
