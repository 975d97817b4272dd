"""A receiver for Alertmanager's webhook that prints pages and remembers them.

    cd alerts && python -m webhook --listen 127.0.0.1:9099 --token-file FILE

Needs nothing but Python 3.11. README.md has the wire contract; a module each for

    payload     what Alertmanager sends, checked: a notification, or the reason why it is none
    store       the notifications, numbered, in bounded memory, with a long poll
    heartbeat   the other end of the dead man's switch: says when it stops and when it is back
    page        a notification as a text that can be read at 3 am
    printer     puts texts on stdout without ever holding up who sent them
    server      HTTP: deadlines, limits, the token
    __main__    the command line
"""
