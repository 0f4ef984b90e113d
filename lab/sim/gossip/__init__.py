"""The exact gossip pool: every member's view of every other member, on arrays.

Time goes in steps of one millisecond. A message that nothing holds back arrives in the step it was sent in: a LAN round trip is short against
the shortest timer, 200 ms. What holds messages back is modelled: blocked windows, full sockets, slow handlers, the hand-off queue.
"""
