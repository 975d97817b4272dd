# The image: one static binary, the CA certificates it trusts when it exports over TLS, and a list of
# the packages that are linked in, for scanners; nothing else. Built with what the other targets build
# with, tested before it is copied. Nothing in it depends on the processor.
#
#   make image        or        docker build --build-arg REVISION=$(git rev-parse HEAD) \
#                                   --build-arg VERSION=$(cat telemetry/VERSION) .
ARG BASE=docker.io/library/debian:bookworm-slim

# hadolint ignore=DL3006 # BASE has a tag; a build without a registry brings its own
FROM ${BASE} AS builder
WORKDIR /source
COPY .ci/deps.sh .ci/lib.sh .ci/versions.env .ci/
RUN .ci/deps.sh build unit
COPY CMakeLists.txt CMakePresets.json ./
COPY telemetry telemetry
COPY src src
COPY tests tests
# The tests are built without optimisation across files: those that let each allocation fail replace
# the allocator when linking, which it would undo.
RUN cmake --preset release -B build/tested -DBUILD_TESTING=ON -DCMAKE_INTERPROCEDURAL_OPTIMIZATION=OFF \
    && cmake --build build/tested \
    && ctest --test-dir build/tested --output-on-failure --no-tests=error
ARG REVISION=unknown
RUN cmake --preset release -DGLASSBOX_STATIC=ON -DGLASSBOX_TESTSERVER=OFF \
        -DGLASSBOX_REVISION="${REVISION}" -DCMAKE_EXE_LINKER_FLAGS=-Wl,-Map=/glassbox.map \
    && cmake --build build/release --target glassbox \
    && strip --strip-all -o /glassbox build/release/glassbox
COPY .ci/linked.sh .ci/
RUN .ci/linked.sh build/release /glassbox.map /linked /etc/ssl/certs/ca-certificates.crt

FROM scratch
ARG REVISION=unknown
ARG VERSION=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.title="glassbox" \
      org.opencontainers.image.description="An HTTP service whose telemetry can be trusted" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=builder /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=builder /linked /
COPY --from=builder /glassbox /glassbox
# OpenSSL's own default is a path of the builder's distribution.
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
# Numeric, so that Kubernetes can see for itself that it is not root.
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/glassbox"]
