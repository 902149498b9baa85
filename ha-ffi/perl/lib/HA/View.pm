package HA::View;

# What a person sees of the status records.

use v5.26;
use warnings;
use HA ();

our @ISA = 'HA::Object';

sub _kind { 'view' }

# own_node, quorate, now, manager, configuration; lrms: node => HA::LrmStatus or undef; locations: sid => node, if known.
sub new {
    my ($class, @given) = @_;
    my %given = HA::FFI::named('HA::View', [qw(own_node quorate now manager configuration lrms locations)], @given);
    my $self = $class->_own(HA::FFI::get(view_new => $given{own_node}, $given{quorate} ? 1 : 0, $given{now} // time,
            $given{manager}, $given{configuration}));
    HA::FFI::call(view_add_lrm => $self, $_, $given{lrms}{$_}) for sort keys %{$given{lrms} // {}};
    if (my $locations = $given{locations}) {
        HA::FFI::call(view_knows_locations => $self);
        HA::FFI::call(view_add_location => $self, $_, $locations->{$_}) for sort keys %$locations;
    }
    return $self;
}

sub as_hash { my ($self) = @_; return HA::JSON::decode(HA::FFI::get(view_json => $self)) }

sub text { my ($self) = @_; return HA::FFI::get_text(view_lines => $self) }

sub lines { my ($self) = @_; return split /\n/, $self->text }

1;
