# Two images for docker-compose.yml: `ground`, which experiments need while they run, and `panel`, which may be replaced at any time.
#
#   docker build --build-arg BASE_IMAGE=… --target panel .
#
# BASE_IMAGE: a Debian or Ubuntu with Node 20.19 or later and npm.
# EXTRA_CA_PEM: certificate authorities of a proxy that looks into https, as text. HTTP_PROXY, HTTPS_PROXY, NO_PROXY are known to Docker.
# NPM_CONFIG_REGISTRY, PIP_INDEX_URL: where packages come from. What is given here can be read in the history of the builder's images.
ARG BASE_IMAGE=node:20-bookworm-slim

# Debian's packages; the same in both images, so that pg_dump and PostgreSQL never differ.
FROM ${BASE_IMAGE} AS system
# Fixed ids: what they own lies on the host. They are below those of the builds and of the experiments (199998 and up).
RUN groupadd --gid 199990 arboretum && useradd --uid 199990 --gid 199990 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin arboretum \
 && groupadd --gid 199991 postgres && useradd --uid 199991 --gid 199991 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin postgres \
 && mkdir -p /etc/postgresql-common && echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf \
 && apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends -o Dpkg::Options::=--force-confold \
      ca-certificates git nginx postgresql python3 python3-venv redis-server \
 && apt-get clean && rm -rf /var/lib/apt/lists/*
ARG EXTRA_CA_PEM=""
RUN if [ -n "$EXTRA_CA_PEM" ]; then printf '%s\n' "$EXTRA_CA_PEM" > /usr/local/share/ca-certificates/extra.crt; fi && update-ca-certificates
# Node believes its own list of authorities otherwise.
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt

FROM system AS build
ARG NPM_CONFIG_REGISTRY
ARG PIP_INDEX_URL
WORKDIR /opt/arboretum
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund
COPY . .
RUN node scripts/generate-client.mjs && node --import tsx scripts/build-image.ts \
 && cd node_modules && rm -rf prisma effect vite @vitejs esbuild @esbuild rollup @rollup tsx typescript fomantic-ui-css semantic-ui-react @electric-sql .cache .vite \
      $(ls -d @prisma/* | grep -v -x -e '@prisma/client' -e '@prisma/client-runtime-utils' -e '@prisma/adapter-pg' -e '@prisma/driver-adapter-utils' -e '@prisma/debug')

FROM system AS ground
WORKDIR /opt/arboretum
# These files alone, so that a new panel does not make a new ground.
COPY --from=build /opt/arboretum/dist/ground ./
CMD ["node", "scripts/keep-nginx.ts.js"]

FROM system AS panel
# As in scripts/lean-node.ts.
ENV MALLOC_ARENA_MAX=2 MALLOC_TRIM_THRESHOLD_=131072
WORKDIR /opt/arboretum
COPY --from=build /opt/arboretum/tools ./tools
COPY --from=build /opt/arboretum/node_modules ./node_modules
COPY --from=build /opt/arboretum/package.json ./
COPY --from=build /opt/arboretum/prisma/migrations ./prisma/migrations
COPY --from=build /opt/arboretum/dist ./dist
RUN printf '#!/bin/sh\nexec node /opt/arboretum/dist/app/scripts/compose.ts.js "$@"\n' > /usr/local/bin/arboretum && chmod 755 /usr/local/bin/arboretum
USER arboretum
ENTRYPOINT ["arboretum"]
