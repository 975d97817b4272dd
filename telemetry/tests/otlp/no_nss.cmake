# Shows that objects call nothing of the C library that needs its files at run time (NSS, dlopen,
# iconv): names are evdns' to look up, so that a static program needs nothing of the host.
#
#   cmake -DNM=nm -DLIBRARIES="a.a;b.a" -DWITNESS=evdns_base_new -P no_nss.cmake
#
# WITNESS is a symbol that they do call: a look that does not see it has seen nothing.
set(any "[a-z0-9_]*")
string(JOIN "|" forbidden getaddrinfo freeaddrinfo getnameinfo "gethostby${any}" gethostent
  "getservby${any}" getservent "getprotoby${any}" "getnetby${any}" "getpw${any}" "getgr${any}"
  initgroups "_*res_${any}" "ns_${any}" dlopen dlsym iconv_open evutil_getaddrinfo)
execute_process(COMMAND ${NM} --undefined-only --format=posix ${LIBRARIES} OUTPUT_VARIABLE listing
                COMMAND_ERROR_IS_FATAL ANY)
if(NOT listing MATCHES "\n${WITNESS} U")
  message(FATAL_ERROR "nm shows no ${WITNESS}: it has seen nothing")
endif()
string(REGEX MATCHALL "\n(${forbidden}) U" found "\n${listing}")
if(found)
  message(FATAL_ERROR "called, but not to be: ${found}")
endif()
